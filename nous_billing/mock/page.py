"""The contract as one self-contained page: no script, nothing fetched, readable on a phone."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape

from .openapi import Json, required_scopes, resolve, security_of

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8882; --link: #0b63c5; --quiet: #57606a }
@media (prefers-color-scheme: dark) { :root { --link: #7db7ff; --quiet: #b6bfc9 } }
* { box-sizing: border-box }
body { background: Canvas; color: CanvasText; font: 16px/1.5 system-ui, sans-serif; max-width: 60rem;
  margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line) } h3 { margin-top: 2rem } h4 { margin-bottom: .3rem }
a { color: var(--link) } nav ul { columns: 18rem; padding-left: 1.2rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; background: var(--soft); border-radius: 4px }
code { padding: 0 .25em } pre { padding: .6rem; white-space: pre-wrap }
pre code { padding: 0; background: none }
dl { margin: .5rem 0; border-left: 2px solid var(--line); padding-left: .8rem } dd { margin: 0 0 .6rem 1rem }
details { border: 1px solid var(--line); border-radius: 6px; padding: .4rem .8rem; margin: .5rem 0 }
summary { cursor: pointer } .note { color: var(--quiet) }
:target { outline: 2px solid var(--link); outline-offset: 4px }
"""


def render(document: Json, address: str = "/openapi.json") -> str:
    """The page of an OpenAPI document that is served at an address: the operations, then the schemas."""
    return _rendered(json.dumps(document), address)


@lru_cache(maxsize=2)
def _rendered(text: str, address: str) -> str:
    return "\n".join(_Page(json.loads(text), address).lines())


class _Page:
    def __init__(self, document: Json, address: str) -> None:
        self._address = address
        self._document = document
        self._operations: list[tuple[str, str, Json]] = [
            (method.upper(), path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]
        self._schemas: dict[str, Json] = document["components"]["schemas"]

    def lines(self) -> Iterator[str]:
        info = self._document["info"]
        title = escape(info["title"])
        yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        yield f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        yield f"<header><h1>{title} <small>{escape(info['version'])}</small></h1>{_prose(info.get('description', ''))}"
        yield f'<p><a href="{self._address}">openapi.json</a></p></header>'
        yield "<nav><ul>"
        for method, path, operation in self._operations:
            yield f'<li><a href="#{operation["operationId"]}">{method} {escape(path)}</a></li>'
        yield '<li><a href="#schemas">Schemas</a></li></ul></nav><main><h2>Operations</h2>'
        for method, path, operation in self._operations:
            yield from self._operation(method, path, operation)
        yield '<h2 id="schemas">Schemas</h2>'
        for name, schema in self._schemas.items():
            yield f'<section id="schema-{name}"><h3>{name}</h3>'
            yield from self._schema(schema)
            yield "</section>"
        yield "</main></body></html>"

    def _operation(self, method: str, path: str, operation: Json) -> Iterator[str]:
        yield f'<section id="{operation["operationId"]}"><h3><code>{method} {escape(path)}</code></h3>'
        yield f"<p><strong>{escape(operation.get('summary', ''))}</strong></p>"
        yield _prose(operation.get("description", ""))
        scopes = required_scopes(self._document, operation)
        if security_of(self._document, operation):
            named = ", ".join(f"<code>{escape(name)}</code>" for name in scopes)
            yield f"<p>Bearer token; scope: {named or 'none'}.</p>"
        parameters = [resolve(self._document, parameter) for parameter in operation.get("parameters", [])]
        if parameters:
            yield "<h4>Parameters</h4><dl>"
            for parameter in parameters:
                required = "required" if parameter.get("required") else "optional"
                yield f"<dt><code>{parameter['name']}</code> in {parameter['in']}, {required}</dt>"
                yield f"<dd>{self._type(parameter['schema'])}{_prose(parameter.get('description', ''))}</dd>"
            yield "</dl>"
        if "requestBody" in operation:
            yield "<h4>Body</h4>"
            yield from self._content(resolve(self._document, operation["requestBody"])["content"])
        yield "<h4>Replies</h4>"
        for status, answer in operation["responses"].items():
            entry = resolve(self._document, answer)
            first, _, rest = entry["description"].strip().partition("\n")
            yield f"<details><summary><strong>{status}</strong> {_inline(first)}</summary>{_prose(rest)}"
            for name, header in entry.get("headers", {}).items():
                yield f"<p>Header <code>{name}</code>: {_inline(resolve(self._document, header)['description'])}</p>"
            yield from self._content(entry.get("content", {}))
            yield "</details>"
        yield "</section>"

    def _content(self, content: Json) -> Iterator[str]:
        for media_type, entry in content.items():
            yield f'<p class="note">{escape(media_type)}</p>'
            schema = entry.get("schema", {})
            for choice in schema.get("anyOf", [schema]):
                yield f"<h4>{self._type(choice)}</h4>"
                yield from self._schema(resolve(self._document, choice))

    def _schema(self, schema: Json) -> Iterator[str]:
        yield _prose(schema.get("description", ""))
        required = schema.get("required", [])
        if schema.get("properties"):
            yield "<dl>"
            for name, field in schema["properties"].items():
                need = "" if name in required else ' <span class="note">optional</span>'
                yield f"<dt><code>{escape(name)}</code> {self._type(field)}{need}</dt>"
                yield f"<dd>{_prose(field.get('description', ''))}</dd>"
            yield "</dl>"
            if schema.get("additionalProperties") is False:
                yield '<p class="note">No other field.</p>'
        else:
            yield f"<p>{self._type(schema)}</p>"
        if "example" in schema:
            yield f"<pre><code>{escape(json.dumps(schema['example'], indent=2, ensure_ascii=False))}</code></pre>"

    def _type(self, schema: Json) -> str:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return f'<a href="#schema-{name}">{name}</a>'
        if "anyOf" in schema:
            return " or ".join(self._type(choice) for choice in schema["anyOf"])
        if "const" in schema:
            return f"<code>{escape(json.dumps(schema['const']))}</code>"
        if "enum" in schema:
            return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
        if "items" in schema:
            return f"list of {self._type(schema['items'])}"
        types = schema.get("type", "any value")
        limits = [
            f"{_LIMITS[name]} <code>{escape(str(value))}</code>" for name, value in schema.items() if name in _LIMITS
        ]
        return ", ".join([escape(types if isinstance(types, str) else " or ".join(types)), *limits])


_LIMITS = {
    "exclusiveMinimum": "above",
    "format": "format",
    "maxLength": "longest",
    "maximum": "at most",
    "minLength": "shortest",
    "minimum": "at least",
    "not": "but not",
    "pattern": "pattern",
    "x-decimal-places": "decimal places at most",
}


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(paragraph)}</p>" for paragraph in text.strip().split("\n\n") if paragraph)


def _inline(text: str) -> str:
    """The little Markdown that descriptions use."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"(?<!\*)\*([^*\s][^*]*)\*", r"<em>\1</em>", text)
