"""Reads an OpenAPI document as the linter does: by YAML 1.2, where a date and ``on`` are text, and 1e3 is a number."""

import json
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

_RESOLVED = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+", "-+0123456789"),
    "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    "null": (r"~|null|Null|NULL|", "~nN"),
    "merge": (r"<<", "<"),
}


class _Loader(yaml.CSafeLoader):
    """Resolves plain scalars by the core schema. Names are text, as in JSON: a status, too."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        made = super().construct_mapping(node, deep)
        return {name if isinstance(name, str) else json.dumps(name): value for name, value in made.items()}


_Loader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first) in _RESOLVED.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), [*_first])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"\Z"), [""])
# Not octal behind a zero.
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


def parse(text: str) -> Json:
    """The document that a text in YAML is."""
    document: Json = yaml.load(text, _Loader)  # noqa: S506 - a safe loader.
    return document


def load(path: Path) -> Json:
    """The document in a file."""
    return parse(path.read_text(encoding="utf-8"))
