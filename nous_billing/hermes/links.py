"""The portal of the login, for links. Never raises where Hermes's own module did not; no token follows a link."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .. import portal
from ..errors import BillingInvalidRequest


def link_base_url(stored: Mapping[str, Any]) -> str:
    """Return the base URL for links: the environment's, that of a stored login, or the default."""
    try:
        return portal.resolve_portal_base_url(stored)
    except BillingInvalidRequest:
        # No token is sent there. A person may still want to look at what the operator named; never at a stranger's.
        named = os.environ.get("HERMES_PORTAL_BASE_URL", "").strip() or os.environ.get("NOUS_PORTAL_BASE_URL", "")
        address = named.strip().rstrip("/")
        return address if "://" in address and portal.portal_link(address, address) else portal.DEFAULT_PORTAL_BASE_URL
