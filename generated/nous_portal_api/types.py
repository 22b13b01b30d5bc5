"""What models and endpoints share. It loads neither attrs nor httpx."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Generic, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from http import HTTPStatus

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Unset:
    def __bool__(self) -> Literal[False]:
        return False


UNSET: Unset = Unset()

# What httpx takes as a file: its content, alone or with a name, a media type and headers.
FileContent = IO[bytes] | bytes | str
FileTypes = tuple[str | None, FileContent, str | None] | tuple[str | None, FileContent, str | None, Mapping[str, str]]
RequestFiles = list[tuple[str, FileTypes]]


@dataclass(slots=True)
class File:
    """A file to upload."""

    payload: BinaryIO
    file_name: str | None = None
    mime_type: str | None = None

    def to_tuple(self) -> FileTypes:
        """Return what httpx takes as a file."""
        return self.file_name, self.payload, self.mime_type


@dataclass(slots=True)
class Response(Generic[T]):
    """A response of an endpoint."""

    status_code: HTTPStatus
    content: bytes
    headers: MutableMapping[str, str]
    parsed: T | None


@dataclass(slots=True)
class AdditionalProperties:
    """The base of a model that keeps the keys which its schema does not name."""

    additional_properties: dict[str, Any] = field(init=False, default_factory=dict)

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties)

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


class _Model(Protocol[T_co]):
    def from_dict(self, src_dict: Mapping[str, Any]) -> T_co: ...


def first_that_fits(data: object, *models: _Model[T]) -> T:
    """Read an object as the first of these models that it fits. Raises what reading it as the last one raises."""
    if not isinstance(data, dict):
        raise TypeError()
    for model in models[:-1]:
        try:
            return model.from_dict(data)
        except (TypeError, ValueError, AttributeError, KeyError):
            pass
    return models[-1].from_dict(data)


__all__ = ["UNSET", "AdditionalProperties", "File", "FileTypes", "RequestFiles", "Response", "Unset", "first_that_fits"]
