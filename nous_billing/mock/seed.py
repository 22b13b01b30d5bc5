"""Organisations, people, tokens and faults from JSON: what a seed has, and what the control interface takes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from jsonschema_rs import Draft202012Validator

from .fault_fields import read_fault
from .ids import KINDS, Kind
from .oauth import Login
from .openapi import load_control
from .organisations import Card, Organisation, Person
from .parameters import check
from .portal import FULL_SCOPE, Portal
from .tokens import ACCESS_LIFETIME

Json = Mapping[str, Any]
_DIGITS = 16
Named = TypeVar("Named", Organisation, Person)


class Taken(ValueError):
    """Something else has this id."""


class Missing(LookupError):
    """Nothing has this id."""


def check_seed(document: object) -> None:
    """Raise ValueError for a seed that cannot be planted."""
    try:
        check(_seed_validator(), document)
        plant(Portal(), document)  # type: ignore[arg-type]
    except ValueError as problem:
        raise ValueError(str(problem)) from None
    except LookupError as problem:
        raise ValueError(problem.args[0]) from None


@lru_cache(maxsize=1)
def _seed_validator() -> Draft202012Validator:
    components = load_control()["components"]
    return Draft202012Validator({"$ref": "#/components/schemas/Seed", "components": components}, validate_formats=True)


def plant(portal: Portal, seed: Json) -> None:
    """Let the portal have what the seed says and nothing else."""
    if "now" in seed or "frozen" in seed:
        start = datetime.fromisoformat(seed["now"]).timestamp() if "now" in seed else None
        portal.clock.restart(start=start, frozen=seed.get("frozen"))
    if "settleAfter" in seed:
        portal.settle_after = float(seed["settleAfter"])
    portal.organisations.clear()
    portal.people.clear()
    for fields in seed["organisations"]:
        add_organisation(portal, fields)
    for fields in seed["people"]:
        add_person(portal, fields)
    portal.organisation, portal.owner = portal.organisations[0], portal.people[0]
    for fields in seed.get("tokens", []):
        log_in(portal, fields)
    fix_ids(portal, seed.get("ids", {}))
    for fields in seed.get("faults", []):
        inject(portal, fields)


def find(things: list[Named], wanted: str | None) -> Named:
    """The thing with this id; the first one without an id. Raises Missing."""
    for thing in things:
        if wanted in (None, thing.id):
            return thing
    raise Missing(f"Nothing has the id {wanted!r}.")


def add_organisation(portal: Portal, fields: Json) -> Organisation:
    """A new organisation. Raises Taken."""
    organisation = portal.add_organisation(fields["name"])
    try:
        change_organisation(portal, organisation, {"id": organisation.id, **fields})
    except ValueError:
        portal.organisations.remove(organisation)
        raise
    return organisation


def add_person(portal: Portal, fields: Json) -> Person:
    """A new person. Raises Missing or Taken."""
    person = portal.add_person(fields["name"], find(portal.organisations, fields.get("organisation")))
    try:
        change_person(portal, person, {"id": person.id, **fields})
    except ValueError:
        portal.people.remove(person)
        raise
    return person


def change_organisation(portal: Portal, organisation: Organisation, fields: Json) -> None:
    """Set these fields, or none. Raises Taken, and ValueError for a tier that there is not or an odd amount."""
    tier = fields.get("tierId")
    if tier is not None and organisation.plan.find(tier) is None:
        raise ValueError(f"There is no tier {tier!r}, only {', '.join(each.id for each in organisation.plan.tiers)}.")
    low, high = (
        _usd(fields.get(name, now)) for name, now in zip(("minUsd", "maxUsd"), organisation.bounds, strict=True)
    )
    if low > high:
        raise ValueError(f"minUsd is {low}, more than maxUsd, which is {high}.")
    _check_id(portal.organisations, organisation, fields)
    _assign(organisation, fields, _ORGANISATION)
    organisation.bounds = (low, high)
    if "name" in fields:
        organisation.slug = "-".join(fields["name"].lower().split())
    if "tierId" in fields:
        organisation.plan.tier_id, organisation.plan.pending = tier, None


def change_person(portal: Portal, person: Person, fields: Json) -> None:
    """Set these fields, or none. Raises Missing or Taken."""
    _check_id(portal.people, person, fields)
    if "organisation" in fields:
        person.organisation = find(portal.organisations, fields["organisation"])
    _assign(person, fields, _PERSON)


def log_in(portal: Portal, fields: Json) -> Login:
    """A login of a person. Raises Missing, and ValueError for a token that was issued before."""
    person = find(portal.people, fields.get("person"))
    fixed: list[Kind] = [kind for kind in KINDS if kind in fields]
    if any(portal.has_issued(fields[kind]) for kind in fixed):
        raise Taken("One of these tokens was issued before.")
    for kind in fixed:
        portal.ids.fix_next(kind, fields[kind])
    lifetime = float(fields.get("lifetime", ACCESS_LIFETIME))
    return portal.log_in(person, scope=fields.get("scope", FULL_SCOPE), lifetime=lifetime)


def fix_ids(portal: Portal, fields: Json) -> None:
    """Choose the ids that come next."""
    for kind in KINDS:
        portal.ids.fix(kind, fields.get(kind, []))


def inject(portal: Portal, fields: Json) -> None:
    """Let a fault wait. Raises ValueError for one that cannot be."""
    portal.inject(read_fault(fields), fields.get("operation"), int(fields.get("times", 1)))


def _check_id(things: list[Named], thing: Named, fields: Json) -> None:
    if any(other.id == fields.get("id") for other in things if other is not thing):
        raise Taken(f"There is another one with the id {fields['id']!r}.")


def _assign(target: object, fields: Json, table: Mapping[str, tuple[str, Callable[[Any], object]]]) -> None:
    values = {
        attribute: None if fields[name] is None else read(fields[name])
        for name, (attribute, read) in table.items()
        if name in fields
    }
    for attribute, value in values.items():
        setattr(target, attribute, value)


def _card(fields: Json) -> Card:
    return Card(fields.get("brand", "visa"), fields["last4"], fields.get("resolvedVia"))


def _usd(value: object) -> Decimal:
    amount = Decimal(str(value))
    # Written out, 1e999999999 would fill the memory.
    if amount.adjusted() >= _DIGITS or int(amount.as_tuple().exponent) < -_DIGITS:
        raise ValueError(f"An amount has at most {_DIGITS} digits before and after the point.")
    return amount


_ORGANISATION: dict[str, tuple[str, Callable[[Any], object]]] = {
    "id": ("id", str),
    "name": ("name", str),
    "balanceUsd": ("balance", _usd),
    "card": ("card", _card),
    "cliBillingEnabled": ("cli_billing_enabled", bool),
    "monthlyCapUsd": ("monthly_cap", _usd),
    "consentRequired": ("consent_required", bool),
}
_PERSON: dict[str, tuple[str, Callable[[Any], object]]] = {
    "id": ("id", str),
    "name": ("name", str),
    "role": ("role", str),
    "canChangePlan": ("can_change_plan", bool),
}
