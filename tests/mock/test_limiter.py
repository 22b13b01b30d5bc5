"""Five charges an hour, of an organisation and of a token."""


def test_the_sixth_charge_of_an_organisation_waits_for_the_first_to_be_an_hour_old(portal, api):
    for number in range(5):
        assert api.charge("10", key=f"k{number}", token=portal.issue_token()).status_code == 202
        portal.clock.advance(10)
    refused = api.charge("10", key="sixth", token=portal.issue_token())
    assert (refused.status_code, refused.json()["error"]) == (429, "rate_limited")
    assert refused.headers["retry-after"] == "3550"
    portal.clock.advance(3549.5)
    refused = api.charge("10", key="sixth", token=portal.issue_token())
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    portal.clock.advance(0.5)
    assert api.charge("10", key="sixth", token=portal.issue_token()).status_code == 202
    # The window slides: the next is free when the second charge is an hour old.
    assert api.charge("10", key="seventh", token=portal.issue_token()).headers["retry-after"] == "10"
    assert len(portal.organisation.charges) == 6


def test_a_session_is_limited_over_organisations_and_refreshes(portal, api):
    login = portal.log_in()
    for number in range(3):
        assert api.charge("10", key=f"k{number}", token=login.access_token).status_code == 202
    refreshed = api.refresh(login.refresh_token).json()["access_token"]
    portal.owner.organisation = portal.add_organisation("Elsewhere")
    for number in range(2):
        assert api.charge("10", key=f"k{number}", token=refreshed).status_code == 202
    assert api.charge("10", key="sixth", token=refreshed).status_code == 429
    assert api.charge("10", key="sixth", token=portal.issue_token()).status_code == 202


def test_organisations_do_not_share_a_window(portal, api):
    for number in range(5):
        api.charge("10", key=f"k{number}")
    other = portal.add_person("Bob", portal.add_organisation("Other"))
    assert api.charge("10", token=portal.issue_token(other)).status_code == 202


def test_replays_and_conflicts_count_but_what_an_earlier_gate_refuses_does_not(portal, api):
    for _ in range(6):
        assert api.charge("1").json()["error"] == "amount_out_of_bounds"
        assert api.charge("10", token=portal.issue_token(scope="inference:invoke")).status_code == 403
    assert [api.charge("10").status_code for _ in range(4)] == [202] * 4
    assert api.charge("11").status_code == 409
    assert api.charge("10").status_code == 429


def test_polls_and_reads_are_not_limited(portal, api):
    for number in range(5):
        api.charge("10", key=f"k{number}")
    assert api.charge("10", key="sixth").status_code == 429
    assert {api.poll("x").status_code for _ in range(20)} == {200}
    assert api.state().status_code == api.top_up().status_code == 200
