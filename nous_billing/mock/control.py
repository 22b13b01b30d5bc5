"""The control interface: what tests in other languages do with the portal, over HTTP."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from . import seed, shown
from .contract import Operation
from .portal import Portal
from .replies import Refusal, Reply, Request

Json: TypeAlias = dict[str, Any]
_DONE = Reply(204)


class Control:
    """The handlers of the control interface, each named after its operation."""

    def __init__(self, portal: Portal, reset: Callable[[Json | None], None]) -> None:
        self._portal = portal
        self._reset = reset

    def handlers(self, operations: list[Operation]) -> Iterator[tuple[Operation, Callable[[Request], Reply]]]:
        """Each operation with its handler."""
        for operation in operations:
            yield operation, partial(_respond, operation, getattr(self, operation.id))

    def get_state(self, _parameters: Json, _body: None) -> Reply:
        """GET /_mock/state."""
        return Reply(200, shown.state(self._portal))

    def reset(self, _parameters: Json, _body: None) -> Reply:
        """POST /_mock/reset."""
        self._reset(None)
        return Reply(200, shown.state(self._portal))

    def plant_seed(self, _parameters: Json, body: Json) -> Reply:
        """POST /_mock/seed."""
        self._reset(body)
        return Reply(200, shown.state(self._portal))

    def get_requests(self, _parameters: Json, _body: None) -> Reply:
        """GET /_mock/requests."""
        return Reply(200, [shown.request(each) for each in self._portal.requests])

    def add_organisation(self, _parameters: Json, body: Json) -> Reply:
        """POST /_mock/organisations."""
        return Reply(201, shown.organisation(seed.add_organisation(self._portal, body)))

    def change_organisation(self, parameters: Json, body: Json) -> Reply:
        """PATCH /_mock/organisations/{organisationId}."""
        organisation = seed.find(self._portal.organisations, parameters["organisationId"])
        seed.change_organisation(self._portal, organisation, body)
        return Reply(200, shown.organisation(organisation))

    def add_person(self, _parameters: Json, body: Json) -> Reply:
        """POST /_mock/people."""
        return Reply(201, shown.person(seed.add_person(self._portal, body)))

    def change_person(self, parameters: Json, body: Json) -> Reply:
        """PATCH /_mock/people/{personId}."""
        person = seed.find(self._portal.people, parameters["personId"])
        seed.change_person(self._portal, person, body)
        return Reply(200, shown.person(person))

    def issue_tokens(self, _parameters: Json, body: Json) -> Reply:
        """POST /_mock/tokens."""
        login = seed.log_in(self._portal, body)
        return Reply(
            201,
            {
                "accessToken": login.access_token,
                "refreshToken": login.refresh_token,
                "expiresIn": login.expires_in,
                "scope": login.scope,
            },
        )

    def change_token(self, _parameters: Json, body: Json) -> Reply:
        """PATCH /_mock/tokens."""
        token = body["accessToken"]
        if "expired" in body:
            self._portal.expire(token)
        if "sessionRevoked" in body:
            self._portal.revoke_session(token)
        if "spendingStoppedBy" in body:
            self._portal.stop_spending(token, body["spendingStoppedBy"])
        if "organisationDenied" in body:
            self._portal.deny_organisation(token)
        return _DONE

    def decide_device(self, parameters: Json, body: Json) -> Reply:
        """POST /_mock/devices/{userCode}."""
        code = parameters["userCode"]
        if body["decision"] == "deny":
            self._portal.deny_device(code)
        else:
            person = seed.find(self._portal.people, body.get("person"))
            self._portal.approve_device(code, person, body.get("allowSpending", True))
        return _DONE

    def move_clock(self, _parameters: Json, body: Json) -> Reply:
        """POST /_mock/clock."""
        clock = self._portal.clock
        if "frozen" in body:
            clock.freeze(body["frozen"])
        clock.advance(float(body.get("advance", 0)))
        return Reply(200, shown.clock(clock))

    def inject_fault(self, _parameters: Json, body: Json) -> Reply:
        """POST /_mock/faults."""
        seed.inject(self._portal, body)
        return _DONE

    def forget_faults(self, _parameters: Json, _body: None) -> Reply:
        """DELETE /_mock/faults."""
        self._portal.faults.clear()
        return _DONE

    def fix_ids(self, _parameters: Json, body: Json) -> Reply:
        """POST /_mock/ids."""
        seed.fix_ids(self._portal, body)
        return _DONE


def _respond(operation: Operation, handle: Callable[[Json, Any], Reply], request: Request) -> Reply:
    try:
        return handle(*operation.read(request))
    except seed.Taken as problem:
        raise Refusal(409, "already_exists", str(problem)) from problem
    except ValueError as problem:
        raise Refusal(400, "validation_failed", str(problem)) from problem
    except LookupError as problem:
        raise Refusal(404, "not_found", str(problem.args[0])) from problem
