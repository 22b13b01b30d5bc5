"""What error reporters show of a variable: more than its repr."""

import dataclasses
import json
import pprint
import types
from contextlib import suppress
from pathlib import Path

from rich.traceback import Traceback

TESTS = str(Path(__file__).parent)
_DEPTH = 5
_CLOSED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.FrameType)


def views(value, depth=_DEPTH, seen=None):
    """All that reporters could show of a value: texts, heads, formats, serializations, and its parts and attributes.

    Not what the tests and the mock hold: those are not the facade's.
    """
    seen = {} if seen is None else seen
    if (
        id(value) in seen
        or isinstance(value, _CLOSED)
        or type(value).__module__.startswith(("tests", "nous_billing.mock"))
    ):
        return
    # Kept, so that no other object gets its id meanwhile.
    seen[id(value)] = value
    for view in (
        repr,
        str,
        lambda it: f"{it}",
        lambda it: f"{it:.40}",
        lambda it: f"{it[:80]}{it[:80]!r}",
        _json,
        _hex,
    ):
        with suppress(Exception):
            yield view(value)
    if depth == _DEPTH:
        with suppress(Exception):
            yield pprint.pformat(value)
    if depth:
        for part in _parts(value):
            yield from views(part, depth - 1, seen)


def _json(value):
    return json.dumps(value, default=repr)


def _hex(value):
    # As text, in which a test finds its canary.
    return bytes.fromhex(value.hex()).decode("latin-1") if isinstance(value, bytes) else ""


def _parts(value):
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if isinstance(value, (str, bytes)):
        return []
    names = {field.name for field in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else set()
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        names.update([slots] if isinstance(slots, str) else slots)
    found = [getattr(value, name, None) for name in names if not name.startswith("__")]
    return [*found, *getattr(value, "__dict__", {}).values()]


def rich_traceback(error):
    """What rich has to print of a traceback: messages, and the variables of all frames as its pretty printer has them.

    Without the frames of the test that called, and without the layout, which takes nearly all of the time.
    """
    begin = error.__traceback__
    while begin is not None and begin.tb_frame.f_code.co_filename.startswith(TESTS):
        begin = begin.tb_next
    trace = Traceback.extract(type(error), error, begin, show_locals=True)
    return "\n".join(text for stack in trace.stacks for text in _shown(stack))


def _shown(stack):
    yield from (stack.exc_value, *getattr(stack, "notes", ()))
    for frame in stack.frames:
        yield from (f"{name} = {value}" for name, value in (frame.locals or {}).items())
