"""Two small archives that an index takes for those of the project."""

import io
import tarfile
import zipfile

WHEEL, SDIST = "nous_billing-1.0.0-py3-none-any.whl", "nous_billing-1.0.0.tar.gz"
_METADATA = "Metadata-Version: 2.4\nName: nous-billing\nVersion: 1.0.0\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: by-hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _make_wheel() -> bytes:
    content, info = io.BytesIO(), "nous_billing-1.0.0.dist-info"
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in {"METADATA": _METADATA, "WHEEL": _WHEEL, "RECORD": ""}.items():
            archive.writestr(f"{info}/{name}", text)
    return content.getvalue()


def _make_sdist() -> bytes:
    content, folder = io.BytesIO(), "nous_billing-1.0.0"
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in ("PKG-INFO", "pyproject.toml"):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(_METADATA)
            archive.addfile(entry, io.BytesIO(_METADATA.encode()))
    return content.getvalue()


ARCHIVES = {WHEEL: _make_wheel(), SDIST: _make_sdist()}
