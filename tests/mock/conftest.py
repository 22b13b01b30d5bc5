"""A served portal whose clock stands still, and a client that speaks to it over a socket."""

import ssl

import httpx
import pytest

from nous_billing.mock import MockClock, MockPortal

from .api import Api


@pytest.fixture(scope="session")
def ssl_context():
    return ssl.create_default_context()


@pytest.fixture
def portal():
    portal = MockPortal(clock=MockClock(frozen=True))
    with portal.serve():
        yield portal
    assert portal.violations == []


@pytest.fixture
def api(portal, ssl_context):
    with httpx.Client(base_url=portal.url, verify=ssl_context, trust_env=False, timeout=5) as client:
        yield Api(client, portal.issue_token())
