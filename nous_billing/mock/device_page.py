"""The page `/device`, where a person approves or denies the login of a terminal."""

import re
from collections.abc import Iterator, Mapping
from html import escape
from urllib.parse import quote

from .app import HTML
from .devices import Device
from .html import options, page
from .organisations import Person
from .page_form import read_fields, see_other
from .portal import Portal
from .replies import Reply, Request
from .seed import find
from .tokens import BILLING_SCOPE, Session

_SCOPES = {
    "inference:invoke": "Use models, paid from the credits",
    BILLING_SCOPE: "Buy credits and change auto-reload",
}


class DevicePage:
    """Shows what a terminal asks for, and takes the person's decision."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def show(self, request: Request) -> Reply:
        """GET /device: the code's device, or a form that asks for the code."""
        return self._reply(_code(dict(request.query)))

    def submit(self, request: Request) -> Reply:
        """POST /device."""
        fields = read_fields(request)
        code = _code(fields)
        try:
            if fields.get("decision") == "approve":
                person = find(self._portal.people, fields.get("person"))
                self._portal.approve_device(code, person, allow_spending="allow_spending" in fields)
            elif fields.get("decision") == "deny":
                self._portal.deny_device(code)
        except LookupError:
            # The page says what became of the code.
            return self._reply(code)
        return see_other(f"/device?user_code={quote(code)}")

    def _reply(self, code: str) -> Reply:
        device = self._portal.oauth.devices.find(code) if code else None
        if device is None:
            return Reply(404 if code else 200, page("Approve a login", _ask(code), narrow=True), media_type=HTML)
        if device in self._portal.oauth.devices.waiting():
            asking = _decide(device, self._portal.people)
            return Reply(200, page("Approve a login", asking, narrow=True), media_type=HTML)
        title, text = _ended(device)
        body = [f"<section><p>{escape(text)}</p><p class=note>You can close this page.</p></section>"]
        return Reply(200, page(title, body, narrow=True), media_type=HTML)


def _code(fields: Mapping[str, str]) -> str:
    """The code as the portal gave it out: people type it in small letters, and with other signs between."""
    letters = re.sub(r"[^A-Z0-9]", "", fields.get("user_code", "").upper())
    return f"{letters[:4]}-{letters[4:]}" if letters else ""


def _ask(unknown: str) -> Iterator[str]:
    if unknown:
        yield f'<p class="word bad" role="alert">No device waits with the code {escape(unknown)}. '
        yield "Compare it with your terminal.</p>"
    yield '<section><form action="/device"><label for="code">The code that your terminal shows</label>'
    yield '<input type="text" id="code" name="user_code" required autocomplete="off" autocapitalize="characters" '
    yield 'spellcheck="false" placeholder="BCDF-GHJK"><button class="go">Continue</button></form></section>'


def _decide(device: Device, people: list[Person]) -> Iterator[str]:
    scopes = device.scope.split()
    yield "<section><p>A terminal asks to log in. Go on only if it shows this code:</p>"
    yield f'<p class="code">{escape(device.user_code)}</p><h2>It may</h2><ul>'
    for scope in scopes:
        yield f"<li>{escape(_SCOPES.get(scope, 'Do what this scope allows'))} <code>{escape(scope)}</code></li>"
    yield '</ul><form method="post" action="/device">'
    yield f'<input type="hidden" name="user_code" value="{escape(device.user_code)}">'
    yield '<label for="person">Log in as</label><select id="person" name="person">'
    yield f"{options(((each.id, _named(each)) for each in people), people[0].id)}</select>"
    if BILLING_SCOPE in scopes:
        yield '<label class="tick"><input type="checkbox" name="allow_spending"><span>Allow Remote Spending'
        yield "<small>Without it this terminal logs in, and may not buy. Only an owner or an admin can allow it."
        yield "</small>"
        yield "</span></label>"
    yield '<div class="row"><button class="go" name="decision" value="approve">Approve</button>'
    yield '<button name="decision" value="deny">Deny</button></div></form></section>'


def _named(person: Person) -> str:
    return f"{person.name}, {person.role} of {person.organisation.name}"


def _ended(device: Device) -> tuple[str, str]:
    match device.answer:
        case "denied":
            return "Denied", "The terminal does not get a login."
        case "pending":
            return "Expired", "This code is no longer valid. Begin again in your terminal."
        case "used":
            return "Approved", "The terminal is logged in."
        case Session() as session:
            spends = BILLING_SCOPE in session.scope.split()
            buying = "may buy credits" if spends else "may not buy credits"
            return "Approved", f"The terminal logs in as {session.person.name} and {buying}."
