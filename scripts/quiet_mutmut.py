"""mutmut without the changes that make no difference: `python -m scripts.quiet_mutmut run`.

Left out are the arguments of ``cast``, which does nothing at run time, and None in the place of False: only whether
they are true is asked.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from hashlib import sha256
from types import ModuleType
from typing import Any

import libcst
from libcst import matchers
from mutmut.mutation import file_mutation, mutators

_LOUD = list(mutators.mutation_operators)
_UNTOUCHED_CALLS = set(file_mutation.NEVER_MUTATE_FUNCTION_CALLS)


def main() -> None:
    # Looks for its configuration in the folder where it is imported.
    from mutmut import __main__ as mutmut

    from scripts import warm_mutmut

    warm_mutmut.use()
    _choose(mutmut, *share_of(os.environ.get("MUTANTS_SHARE", "1")))
    _use(_without_noise(), {"cast"})
    mutmut.cli()


def share_of(text: str) -> tuple[float, float]:
    """Return the bounds of a share of all mutants.

    >>> share_of("0.1"), share_of("0.1-0.2")
    ((0.0, 0.1), (0.1, 0.2))
    """
    least, dash, most = text.partition("-")
    return (float(least), float(most)) if dash else (0.0, float(text))


def _choose(mutmut: ModuleType, least: float, most: float) -> None:
    """Let mutmut try only a share of the mutants: those whose names have hashes between two bounds."""
    collect = mutmut.collect_source_file_mutation_data

    def chosen(**arguments: Any) -> tuple[list[Any], Any]:
        mutants, by_path = collect(**arguments)
        return [each for each in mutants if least <= sha256(each[1].encode()).digest()[0] / 256 < most], by_path

    vars(mutmut)["collect_source_file_mutation_data"] = chosen


def left_out(path: str, code: str) -> int:
    """How many mutants of a module mutmut would make, and this does not. Asks for mutmut's configuration."""
    of = [len(_mutants(path, code, *each)) for each in ((_LOUD, set[str]()), (_without_noise(), {"cast"}))]
    return of[0] - of[1]


def _mutants(path: str, code: str, operators: list[Any], calls: set[str]) -> list[Any]:
    _use(operators, calls)
    return [each for each in file_mutation.create_mutations(path, code)[1] if each.contained_by_top_level_function]


def _use(operators: list[Any], untouched_calls: set[str]) -> None:
    vars(file_mutation)["mutation_operators"] = operators
    vars(file_mutation)["NEVER_MUTATE_FUNCTION_CALLS"] = _UNTOUCHED_CALLS | untouched_calls


def _without_noise() -> list[Any]:
    return [(kind, partial(_quiet, operator)) for kind, operator in _LOUD]


def _quiet(operator: Callable[[Any], Iterable[libcst.CSTNode]], node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    for mutant in operator(node):
        before, after = _values(node), _values(mutant)
        false_to_none = len(before) == len(after) and any(
            matchers.matches(old, matchers.Name("False")) and matchers.matches(new, matchers.Name("None"))
            for old, new in zip(before, after, strict=True)
        )
        if not false_to_none:
            yield mutant


def _values(node: libcst.CSTNode) -> list[libcst.CSTNode]:
    if isinstance(node, libcst.Call):
        return [argument.value for argument in node.args]
    value = node.value if isinstance(node, (libcst.Assign, libcst.AnnAssign)) else None
    return [] if value is None else [value]


if __name__ == "__main__":
    main()
