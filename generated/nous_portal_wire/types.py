# nous_portal_wire/types.py: made by scripts/generate.py
"""What the generator's models need of attrs, and no more. Copied into the package beside them."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, dataclass_transform

T = TypeVar("T")


class Unset:
    def __bool__(self) -> Literal[False]:
        return False


UNSET: Unset = Unset()


def field(*, init: bool, factory: Callable[[], Any]) -> Any:
    """What is left out of the constructor, and made anew for each object."""
    return None


@dataclass_transform(field_specifiers=(field,))
def define(cls: type[T]) -> type[T]:
    """Give a class the constructor that attrs would, for arguments by name."""
    names = [name for name in cls.__annotations__ if name != "additional_properties"]
    defaults = {name: value for name, value in vars(cls).items() if name in names}
    required = frozenset(names) - defaults.keys()

    def make(self: Any, **values: Any) -> None:
        if not required <= values.keys() <= frozenset(names):
            raise TypeError(
                f"{cls.__name__} has {', '.join(names)}, not {', '.join(values)}"
            )
        vars(self).update(defaults, additional_properties={}, **values)

    cls.__init__ = make  # type: ignore[method-assign]
    return cls


__all__ = ["UNSET", "Unset", "define", "field"]
