"""Where trusted certificates come from: the environment, OpenSSL's store of the system, or certifi."""

from __future__ import annotations

import errno
import os
import re
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

from ..errors import BillingInvalidRequest

# Not CURL_CA_BUNDLE: installers of other programs set it for curl, and leave it behind.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "HERMES_CA_BUNDLE")
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")
# `update-ca-certificates` writes it into the directory of the same certificates.
_BUNDLE_OF_DIRECTORY = "ca-certificates.crt"
# A process that has run out of file descriptors says nothing about its settings.
_TRANSIENT = frozenset({errno.EAGAIN, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class Place(NamedTuple):
    """A file of certificates, or directories joined as in ``PATH``. ``variable`` is None for the system's own."""

    path: str
    variable: str | None

    @property
    def directories(self) -> list[str]:
        """The directories that exist."""
        return [each for each in self.path.split(os.pathsep) if os.path.isdir(each)]


class Store(NamedTuple):
    """Files, a directory, or both."""

    files: tuple[Place, ...]
    directory: Place | None

    @property
    def variable(self) -> str | None:
        """The variable that names the store (the first, if two do), or None for the system's own."""
        places = self.files if self.directory is None else (*self.files, self.directory)
        return next((place.variable for place in places if place.variable is not None), None)

    def fingerprint(self) -> object:
        """Return a value that changes when a file or a directory of the store changes."""
        paths = [file.path for file in self.files]
        directories = () if self.directory is None else self.directory.path.split(os.pathsep)
        return self, tuple(_status(path) for path in (*paths, *directories))

    def needed(self) -> Store:
        """Return the part of the store that a context has to load, after checking what exists.

        Raises:
            BillingInvalidRequest: A variable names what cannot be used (``error="invalid_tls_setting"``).
            OSError: It cannot be read right now.
        """
        files, directory = self
        certificates = sum(map(_count_certificates, files))
        links = 0 if directory is None else _count_links(directory)
        if (
            not links
            and directory is not None
            and directory.variable is not None
            and directory.variable == self.variable
        ):
            raise invalid_setting(directory.variable, directory.path, "has no certificates (see openssl rehash)")
        if certificates:
            is_covered = directory is not None and links == certificates and _is_bundle_of(files[0], directory)
            if not is_covered:
                return Store(files, directory if links else None)
        if links:
            return Store((), directory)
        import certifi

        return Store((Place(certifi.where(), None),), None)


def named_store() -> Store | None:
    """Return the store that the environment names, or None."""
    file, directory = _variable("SSL_CERT_FILE"), _variable("SSL_CERT_DIR")
    if file is not None or directory is not None:
        return _with_system(file, directory)
    bundles = [place for place in map(_variable, _BUNDLES) if place is not None]
    directory = next((bundle for bundle in bundles if bundle.directories), None)
    return Store(tuple(bundle for bundle in bundles if not bundle.directories), directory) if bundles else None


def system_store() -> Store:
    """Return the system's own store, where OpenSSL has it."""
    return _with_system(None, None)


def invalid_setting(variable: str, path: str, reason: str) -> BillingInvalidRequest:
    """Return the error for a variable whose value cannot be used."""
    return BillingInvalidRequest(
        f"{variable} names {path!r}, which {reason}. Correct or unset it. Nothing was sent.",
        error="invalid_tls_setting",
    )


def is_transient(error: OSError) -> bool:
    """Whether a failure to open a file says nothing about the file itself."""
    return error.errno in _TRANSIENT


def _variable(name: str) -> Place | None:
    path = os.environ.get(name)
    return Place(path, name) if path else None


def _with_system(file: Place | None, directory: Place | None) -> Store:
    system = ssl.get_default_verify_paths()
    return Store((file or Place(system.openssl_cafile, None),), directory or Place(system.openssl_capath, None))


def _is_bundle_of(file: Place, directory: Place) -> bool:
    folder, name = os.path.split(os.path.realpath(file.path))
    return name == _BUNDLE_OF_DIRECTORY and folder == os.path.realpath(directory.path)


def _count_certificates(file: Place) -> int:
    if file.variable is None and not os.path.exists(file.path):
        return 0
    with _named(file), open(file.path, "rb") as opened:
        count = opened.read().count(b"-----BEGIN ")
    if not count and file.variable is not None:
        raise invalid_setting(file.variable, file.path, "has no certificate in PEM format")
    return count


def _count_links(directory: Place) -> int:
    links: list[os.DirEntry[str]] = []
    with _named(directory):
        for path in directory.directories:
            with os.scandir(path) as entries:
                links += (entry for entry in entries if _HASHED_NAME.fullmatch(entry.name))
    # Container images may copy the links without their targets.
    return len(links) if any(link.is_file() for link in links) else 0


@contextmanager
def _named(place: Place) -> Generator[None]:
    """Name the variable in the error if its file cannot be read."""
    try:
        yield
    except OSError as error:
        if place.variable is None or is_transient(error):
            raise
        raise invalid_setting(place.variable, place.path, f"cannot be read ({error.strerror})") from error


def _status(path: str) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
