"""The pytest fixture `mock_portal`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .mock_portal import MockPortal


@pytest.fixture
def mock_portal() -> "Iterator[MockPortal]":
    """A mock portal on a loopback port, at `mock_portal.url`. Fails the test if the portal broke its own contract."""
    from . import MockPortal

    portal = MockPortal()
    with portal.serve():
        yield portal
    if portal.violations:
        pytest.fail("The mock portal broke the contract:\n" + "\n".join(portal.violations), pytrace=False)
