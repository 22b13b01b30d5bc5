"""The types of fields that Python has none of its own for. Apart from the results, which take longer to load."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

Number = Annotated[Decimal, "a JSON number"]
"""A number of JSON that is no money; sums of money are decimal strings there, and ``Decimal`` here."""

PortalUrl = Annotated[str, "a link for a person"]
"""An absolute link that is safe to open; relative ones are resolved against the base URL that answered."""

ChargeId = Annotated[str, r"(?!\.{1,2}$)[!-~]{1,255}"]
"""1 to 255 visible ASCII characters, but neither ``.`` nor ``..``, which name another path."""
