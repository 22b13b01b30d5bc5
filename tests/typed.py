"""Whether a result is of the types that it is annotated with."""

import dataclasses
import types
import typing


def is_typed(value, annotation):
    """Whether a value is of an annotated type, and all that it holds too."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is typing.Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(is_typed(value, argument) for argument in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and all(is_typed(each, arguments[0]) for each in value)
    if not isinstance(value, origin or annotation or type(None)):
        return False
    if not dataclasses.is_dataclass(value):
        return True
    hints = typing.get_type_hints(type(value))
    return all(is_typed(getattr(value, field.name), hints[field.name]) for field in dataclasses.fields(value))
