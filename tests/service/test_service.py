"""The example of a service, driven over HTTP: several web processes and workers on a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.service.processes import Web, events, until

WORKERS = ["worker", "durable_worker"]

pytestmark = pytest.mark.usefixtures("quiet")


def outcome(reply):
    return reply.status_code, reply.json()["outcome"]


class TestAnswers:
    @pytest.mark.parametrize(
        ("card", "expected", "said"),
        [("4242", (200, "paid"), "is paid."), ("9995", (402, "declined"), "the card was declined")],
    )
    def test_accepted_is_not_known_and_then_paid_or_declined_and_stays_so(self, service, card, expected, said):
        customer = service.customer(card={"last4": card})
        begun = customer.buy()
        assert outcome(begun) == (202, "not_known")
        assert "It is not known yet whether it is paid." in begun.json()["message"]
        service.time_passes()
        for reply in (
            customer.look(begun.json()["key"]),
            customer.buy(web=1),
            customer.look(begun.json()["key"], web=1),
        ):
            assert outcome(reply) == expected
            assert said in reply.json()["message"]
        assert len(customer.charges) == 1

    @pytest.mark.parametrize(
        ("options", "order", "expected"),
        [
            ({"card": None}, {}, (422, "refused")),
            ({"cliBillingEnabled": False}, {}, (422, "refused")),
            ({"role": "MEMBER"}, {}, (403, "not_authorised")),
            ({}, {"amount_usd": "1"}, (422, "refused")),
            ({}, {"amount_usd": "fifty"}, (422, "refused")),
            ({}, {"amount_usd": 50}, (400, "refused")),
            ({}, {"action": None}, (400, "refused")),
            ({}, {"action": " "}, (400, "refused")),
        ],
    )
    def test_what_is_refused_is_said_to_be_and_nothing_is_charged(self, service, options, order, expected):
        customer = service.customer(**options)
        assert outcome(customer.buy(**order)) == expected
        assert customer.charges == []

    def test_too_many_are_refused_for_now(self, service):
        customer = service.customer()
        replies = [customer.buy(f"top-up {number}") for number in range(6)]
        assert [outcome(reply) for reply in replies] == [(202, "not_known")] * 5 + [(429, "refused")]
        assert int(replies[-1].headers["Retry-After"]) > 0
        assert outcome(customer.look(replies[-1].json()["key"])) == (422, "refused")
        service.time_passes()
        assert outcome(customer.buy("top-up 5")) == (202, "not_known")
        assert len(customer.charges) == 6

    def test_another_amount_for_the_same_action_is_refused(self, service):
        customer = service.customer()
        customer.buy()
        assert outcome(customer.buy(amount_usd="60")) == (409, "refused")
        assert len(customer.charges) == 1

    def test_nobody_sees_a_purchase_without_a_session_or_of_another_organisation(self, service):
        customer, stranger = service.customer(), service.customer()
        key = customer.buy().json()["key"]
        service.loses_the_reply()
        lost = customer.buy("another").json()["key"]

        def looks(*keys):
            for key in keys:
                for reply in (stranger.look(key), stranger.look(f"{key}/events")):
                    assert outcome(reply) == (403, "not_authorised")
                    assert reply.json()["message"] == "Your login is not for the organisation of this purchase."
                    assert reply.json()["portal_url"] is None

        looks(key, lost)
        service.time_passes()
        assert outcome(customer.ends(key)) == (200, "paid")
        looks(key, lost)
        nobody = httpx.get(f"{service.webs[0].url}/purchases/{key}", headers={"Authorization": "Bearer unknown"})
        assert outcome(nobody) == (401, "not_authorised")
        assert outcome(customer.look("unknown")) == outcome(customer.look("unknown/events")) == (404, "not_found")

    def test_people_of_two_organisations_with_the_same_name_are_two(self, service):
        ada, other_ada = service.customer(), service.customer()
        service.execute(f"UPDATE people SET person = 'ada' WHERE session IN ('{ada.name}', '{other_ada.name}')")
        keys = [each.buy().json()["key"] for each in (ada, other_ada)]
        service.time_passes()
        assert [outcome(ada.ends(keys[0])), outcome(other_ada.ends(keys[1]))] == [(200, "paid")] * 2
        assert {outcome(ada.look(keys[1])), outcome(other_ada.look(keys[0]))} == {(403, "not_authorised")}

    def test_what_nests_too_deep_is_refused(self, service):
        reply = service.customer().webs[0].post("/purchases", content=b"[" * 50_000)
        assert outcome(reply) == (400, "refused")

    def test_each_change_is_an_event_and_the_last_one_is_the_end(self, service):
        customer = service.customer()
        key = customer.buy().json()["key"]
        told = []
        with customer.webs[1].stream("GET", f"/purchases/{key}/events") as reply:
            assert reply.headers["content-type"].startswith("text/event-stream")
            for name, body in events(reply):
                told.append((name, body["outcome"]))
                service.time_passes()
        assert told == [("not_known", "not_known"), ("paid", "paid")]


class TestOnce:
    def test_impatient_people_buy_once(self, service):
        customer = service.customer()
        with ThreadPoolExecutor(8) as pool:
            replies = [*pool.map(lambda number: customer.buy(web=number % 2), range(8))]
        assert {outcome(reply) for reply in replies} == {(202, "not_known")}
        assert customer.charges == [("pending", "50")]

    def test_a_lost_reply_is_not_known_and_the_same_request_finds_the_charge(self, service):
        customer = service.customer()
        service.loses_the_reply()
        lost = customer.buy()
        looked = customer.look(lost.json()["key"])
        for reply in (lost, looked):
            assert outcome(reply) == (202, "not_known")
            assert "not known" in reply.json()["message"]
            assert "accepted" not in reply.json()["message"]
        again = customer.buy(web=1)
        assert outcome(again) == (202, "not_known")
        assert "was accepted" in again.json()["message"]
        service.time_passes()
        assert outcome(customer.look(lost.json()["key"])) == (200, "paid")
        assert customer.charges == [("settled", "50")]

    def test_a_web_process_that_dies_while_it_sends_has_bought_once(self, service):
        customer = service.customer()
        service.mock.control("/faults", kind="stall", operation="post_charge", acts=True)
        dying = Web(service.folder / "dying.log", service.environment)
        dying.wait()
        with ThreadPoolExecutor(1) as pool:
            headers = {"Authorization": f"Bearer {customer.name}"}
            order = {"action": "top-up", "amount_usd": "50"}
            unanswered = pool.submit(httpx.post, f"{dying.url}/purchases", json=order, headers=headers)
            until(lambda: customer.charges)
            dying.kill()
            assert isinstance(unanswered.exception(), httpx.TransportError)
        again = customer.buy()
        assert outcome(again) == (202, "not_known")
        service.time_passes()
        assert outcome(customer.look(again.json()["key"])) == (200, "paid")
        assert customer.charges == [("settled", "50")]

    def test_while_the_database_is_down_nothing_is_sent_and_nothing_is_said_to_be_known(self, service):
        customer = service.customer()
        key = customer.buy().json()["key"]
        service.kill_database()
        try:
            down = [customer.buy("another"), customer.look(key), customer.look(f"{key}/events", web=1)]
            assert [outcome(reply) for reply in down] == [(503, "not_known")] * 3
        finally:
            service.start_database()
        service.time_passes()
        assert outcome(customer.ends(key)) == (200, "paid")
        assert outcome(customer.buy("another", web=1)) == (202, "not_known")
        assert len(customer.charges) == 2


class TestWorkers:
    @pytest.mark.parametrize("program", WORKERS)
    def test_an_accepted_purchase_is_ended_without_anybody_who_looks(self, service, worker, program):
        customer = service.customer()
        customer.buy()
        service.time_passes()
        worker(program)
        assert until(lambda: service.execute("SELECT status FROM nous_purchases")) == [("pending",)]
        until(lambda: service.execute("SELECT status FROM nous_purchases") == [("settled",)])

    def test_a_worker_that_died_lets_another_continue(self, service, worker):
        customer = service.customer()
        key = customer.buy().json()["key"]
        first = worker("worker")
        until(lambda: service.execute("SELECT 1 FROM nous_purchases WHERE lease_holder IS NOT NULL"))
        first.kill()
        service.time_passes()
        assert outcome(customer.look(key)) == (202, "not_known")
        service.leases_expire()
        worker("worker")
        until(lambda: service.execute("SELECT status FROM nous_purchases") == [("settled",)])

    def test_a_durable_worker_that_died_goes_on_under_its_name_and_finishes_what_nobody_asks_for(self, service, worker):
        customer = service.customer()
        service.loses_the_reply()
        key = customer.buy().json()["key"]
        service.mock.control("/faults", kind="stall", operation="post_charge", times=10)
        first = worker("durable_worker", "mortal")
        until(lambda: len(customer.sends()) == 3)
        first.kill()
        service.mock.control("/faults", "DELETE")
        assert outcome(customer.look(key)) == (202, "not_known")
        pending = (
            f"SELECT executor_id FROM dbos.workflow_status WHERE status = 'PENDING' AND workflow_uuid LIKE '{key}%'"
        )
        assert service.execute(pending) == [("mortal",)]
        service.leases_expire()
        service.time_passes()
        worker("durable_worker", "mortal")
        until(lambda: service.execute("SELECT status FROM nous_purchases") == [("settled",)])
        assert outcome(customer.look(key)) == (200, "paid")
        assert customer.charges == [("settled", "50")]
        until(lambda: service.execute(pending) == [])


def test_a_person_is_added_as_the_guide_says(service):
    customer = service.customer()
    adding = service.run("add_person", "ada", f"{customer.name}-at-home", NOUS_TOKEN=customer.token)
    until(lambda: not adding.is_running)
    assert adding.said == "ada buys for Acme.\n"
    for web in customer.webs:
        web.headers["Authorization"] += "-at-home"
    assert outcome(customer.buy()) == (202, "not_known")
