"""OAuth at the portal: refresh tokens and the device login."""

import base64
import json

import pytest

BOTH = "inference:invoke billing:manage"


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_an_access_token_is_a_jwt_that_says_whose_it_is_and_how_long_it_lives(portal):
    said = claims(portal.log_in().access_token)
    assert said["sub"] == portal.owner.id
    assert said["org"] == portal.organisation.id
    assert said["scope"] == BOTH
    assert said["exp"] - said["iat"] == 900
    assert said["iat"] == int(portal.clock.now())
    assert said["sid"]
    assert said["jti"] != claims(portal.issue_token())["jti"]


def test_a_refresh_gives_a_new_pair_and_leaves_the_old_access_token_valid(portal, api):
    login = portal.log_in()
    reply = api.refresh(login.refresh_token)
    assert reply.status_code == 200
    body = reply.json()
    assert (body["expires_in"], body["token_type"], body["scope"]) == (900, "Bearer", BOTH)
    assert body["access_token"] != login.access_token
    assert body["refresh_token"] != login.refresh_token
    assert claims(body["access_token"])["sid"] == claims(login.access_token)["sid"]
    assert api.state(body["access_token"]).status_code == api.state(login.access_token).status_code == 200


def test_the_previous_refresh_token_gives_the_same_pair_for_60_seconds(portal, api):
    login = portal.log_in()
    first = api.refresh(login.refresh_token).json()
    portal.clock.advance(60)
    assert api.refresh(login.refresh_token).json() == first


def test_a_refresh_token_that_is_used_again_after_the_grace_revokes_the_session(portal, api):
    login = portal.log_in()
    pair = api.refresh(login.refresh_token).json()
    portal.clock.advance(60.5)
    reused = api.refresh(login.refresh_token)
    assert (reused.status_code, reused.json()["error"]) == (400, "refresh_token_reused")
    assert api.state(pair["access_token"]).json()["error"] == "session_revoked"
    assert api.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert api.state(portal.log_in().access_token).status_code == 200


def test_a_refresh_token_older_than_the_previous_one_has_no_grace(portal, api):
    login = portal.log_in()
    second = api.refresh(login.refresh_token).json()["refresh_token"]
    third = api.refresh(second).json()
    assert api.refresh(login.refresh_token).json()["error"] == "refresh_token_reused"
    assert api.state(third["access_token"]).json()["error"] == "session_revoked"


def test_rotation_does_not_extend_the_30_days(portal, api):
    refresh_token = portal.log_in().refresh_token
    for _ in range(3):
        portal.clock.advance(10 * 86400 - 1)
        refresh_token = api.refresh(refresh_token).json()["refresh_token"]
    portal.clock.advance(3)
    assert api.refresh(refresh_token).json()["error"] == "invalid_grant"


def test_scope_is_lost_at_a_refresh_by_a_person_who_is_no_longer_an_admin(portal, api):
    login = portal.log_in()
    portal.owner.role = "MEMBER"
    body = api.refresh(login.refresh_token).json()
    assert body["scope"] == claims(body["access_token"])["scope"] == "inference:invoke"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "someone-else"}, "invalid_client"),
        ({"client_id": ""}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_form_is_refused_and_leaves_the_refresh_token_unused(portal, api, form, error):
    login = portal.log_in()
    reply = api.refresh(login.refresh_token, **form)
    assert (reply.status_code, reply.json()["error"]) == (400, error)
    assert isinstance(reply.json()["error_description"], str)
    portal.clock.advance(100)
    assert api.refresh(login.refresh_token).status_code == 200


def test_a_refresh_needs_its_header_and_a_known_token(api):
    assert api.refresh("").json()["error"] == "invalid_request"
    assert api.refresh("rt_unknown").json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b"grant_type=refresh_token", "application/json"), (b"\xff=1", "application/x-www-form-urlencoded")],
)
def test_a_body_that_is_not_a_form_is_an_invalid_request(api, content, media_type):
    for path in ("/api/oauth/token", "/api/oauth/device/code"):
        reply = api.client.post(path, content=content, headers={"Content-Type": media_type})
        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


def test_a_session_that_was_revoked_by_hand_cannot_be_refreshed(portal, api):
    login = portal.log_in()
    portal.revoke_session(login.access_token)
    assert api.refresh(login.refresh_token).json()["error"] == "invalid_grant"


def test_a_device_login_from_the_code_to_the_tokens(portal, api):
    reply = api.device_code()
    assert reply.status_code == 200
    device = reply.json()
    assert (device["expires_in"], device["interval"]) == (600, 5)
    assert device["verification_uri"] == f"{portal.url}/device"
    assert device["verification_uri_complete"] == f"{portal.url}/device?user_code={device['user_code']}"
    pending = api.poll_device(device["device_code"])
    assert (pending.status_code, pending.json()["error"]) == (400, "authorization_pending")
    portal.approve_device(device["user_code"], portal.owner)
    portal.clock.advance(5)
    tokens = api.poll_device(device["device_code"]).json()
    assert (tokens["scope"], tokens["expires_in"], tokens["token_type"]) == (BOTH, 900, "Bearer")
    assert api.charge(token=tokens["access_token"]).status_code == 202
    assert api.refresh(tokens["refresh_token"]).status_code == 200
    portal.clock.advance(5)
    assert api.poll_device(device["device_code"]).json()["error"] == "invalid_grant"


def test_polling_faster_than_the_interval_is_429_and_does_not_delay_the_answer(portal, api):
    device = api.device_code().json()
    api.poll_device(device["device_code"])
    portal.clock.advance(3)
    fast = api.poll_device(device["device_code"])
    assert (fast.status_code, fast.json()["error"], fast.headers["retry-after"]) == (429, "slow_down", "2")
    portal.clock.advance(2)
    assert api.poll_device(device["device_code"]).json()["error"] == "authorization_pending"


def test_a_declined_device_is_denied(portal, api):
    device = api.device_code().json()
    portal.deny_device(device["user_code"])
    reply = api.poll_device(device["device_code"])
    assert (reply.status_code, reply.json()["error"]) == (400, "access_denied")


def test_a_device_code_expires(portal, api):
    device = api.device_code().json()
    portal.clock.advance(600)
    reply = api.poll_device(device["device_code"])
    assert (reply.status_code, reply.json()["error"]) == (400, "expired_token")
    with pytest.raises(LookupError, match=device["user_code"]):
        portal.approve_device(device["user_code"], portal.owner)


def test_an_unknown_device_code_and_a_foreign_client_are_refused(api):
    assert api.poll_device("dc_unknown").json()["error"] == "invalid_grant"
    device = api.device_code().json()
    assert api.poll_device(device["device_code"], client_id="other").json()["error"] == "invalid_client"
    assert api.device_code(client_id="other").json()["error"] == "invalid_client"


@pytest.mark.parametrize(("role", "allow_spending"), [("MEMBER", True), ("OWNER", False)])
def test_spending_is_left_out_silently(portal, api, role, allow_spending):
    person = portal.add_person("Pat", portal.organisation, role)
    device = api.device_code().json()
    portal.approve_device(device["user_code"], person, allow_spending=allow_spending)
    tokens = api.poll_device(device["device_code"]).json()
    assert tokens["scope"] == claims(tokens["access_token"])["scope"] == "inference:invoke"
    assert api.charge(token=tokens["access_token"]).json()["error"] == "insufficient_scope"


def test_without_a_scope_a_device_asks_for_the_login_scope(portal, api):
    device = api.device_code(scope="").json()
    portal.approve_device(device["user_code"])
    assert api.poll_device(device["device_code"]).json()["scope"] == "inference:invoke"


def test_the_30_days_begin_with_the_approval(portal, api):
    device = api.device_code().json()
    portal.clock.advance(500)
    portal.approve_device(device["user_code"])
    refresh_token = api.poll_device(device["device_code"]).json()["refresh_token"]
    portal.clock.advance(30 * 86400 - 1)
    refresh_token = api.refresh(refresh_token).json()["refresh_token"]
    portal.clock.advance(1)
    assert api.refresh(refresh_token).json()["error"] == "invalid_grant"


def test_a_token_of_another_portal_is_unknown(portal):
    with pytest.raises(LookupError):
        portal.expire("eyJ")


@pytest.mark.parametrize(("balance", "allowed"), [("12.5", True), ("0", False), ("-3", False)])
def test_the_account_names_the_person_the_organisation_and_whether_credits_are_left(portal, api, balance, allowed):
    portal.organisation.balance = balance
    assert api.account().json() == {
        "user": {"id": "usr_1", "name": "Ada"},
        "organisation": {"id": "org_1", "slug": "acme", "name": "Acme"},
        "subscription": None,
        "paid_service_access": {
            "allowed": allowed,
            "paid_access": allowed,
            "organisation_id": "org_1",
            "purchased_credits_remaining": balance,
            "total_usable_credits": balance,
        },
    }


def test_the_account_needs_a_token(portal, api):
    portal.expire(api.token)
    assert (api.account().status_code, api.account().json()["error"]) == (401, "invalid_token")
