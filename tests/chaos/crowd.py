"""Purchases in threads of one process, against a portal on a bad day."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from nous_billing import Purchase, new_idempotency_key
from nous_billing.mock import Card
from tests.chaos.people import CARDS, OPENING
from tests.chaos.portal import ChaosPortal
from tests.chaos.presses import WAYS, Intent, press
from tests.chaos.words import audit_intent

AT_ONCE = 24
PRESSES = 20
# With faults, and without.
_TRIES = 4
_LAST_TRIES = 12
_MOST_PRINTED = 5


def run_crowd(folder: Path, purchases: int, seed: int) -> Counter[tuple[str, str]]:
    """Buy so many; what was counted, by way of pressing and column."""
    chance = random.Random(seed)
    portal = ChaosPortal(seed)
    portal.start()
    try:
        intents = _intents(portal, folder, purchases, chance)
        portal.random_faults.is_on = True
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(partial(_insist, portal, chance=chance), intents))
        portal.random_faults.is_on = False
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(partial(_finish, portal, chance=chance), intents))
    finally:
        portal.stop()
    posts = [request for request in portal.requests if request.operation == "post_charge"]
    looked_at = [request for request in posts if request.status not in (401, 403)]
    tokens = {request.headers["authorization"].removeprefix("Bearer ") for request in looked_at}
    sent_at = {token: portal.delays.charged_at[token] for token in tokens}
    counts: Counter[tuple[str, str]] = Counter()
    complaints: list[str] = []
    for intent in intents:
        columns = audit_intent(intent, sent_at, complaints.append)
        counts.update({(intent.way, column): count for column, count in columns.items()})
    if complaints:
        print(*complaints[:_MOST_PRINTED], f"{len(complaints)} complaints, seed {seed}", sep="\n", flush=True)
    counts.update({("portal", f"fault: {kind}"): n for kind, n in portal.random_faults.shown.items()})
    counts["portal", "requests"] += len(portal.requests)
    counts["portal", "limiter refusals"] += portal.limiter.refusals
    counts["portal", "breaches"] += len(portal.violations)
    return counts


def _intents(portal: ChaosPortal, folder: Path, purchases: int, chance: random.Random) -> list[Intent]:
    people = []
    for number in range(max(len(CARDS), purchases // 6)):
        card = Card("visa", CARDS[number % len(CARDS)])
        organisation = portal.add_organisation(f"Org {number}", balance=OPENING, card=card, monthly_cap="1000000")
        people.append(portal.add_person(f"Person {number}", organisation))
    made = []
    for number in range(purchases):
        person, stranger = chance.sample(people, 2)
        made.append(
            Intent(
                # Of each way some, however few there are.
                WAYS[number % len(WAYS)],
                new_idempotency_key(),
                f"{10 + number / 100:.2f}",
                person,
                stranger,
                folder / person.id,
            )
        )
    return made


def _insist(portal: ChaosPortal, intent: Intent, chance: random.Random) -> None:
    """Press until it has ended, or patience has."""
    if intent.way == "twenty presses":
        with ThreadPoolExecutor(PRESSES) as pool:
            list(pool.map(lambda _: press(portal, intent, chance), range(PRESSES)))
        return
    for _ in range(_TRIES):
        press(portal, intent, chance)
        if intent.ended:
            return
        time.sleep(chance.uniform(0.05, 0.4))


def _finish(portal: ChaosPortal, intent: Intent, chance: random.Random) -> None:
    """Press on a good day, until it has ended, or the person is sent to the billing page."""
    for _ in range(_LAST_TRIES):
        if intent.ended:
            return
        done = press(portal, intent, chance, calm=True)
        if getattr(done.outcome, "is_too_old", False) or "Look at the billing page" in str(done.outcome):
            return
        if not isinstance(done.outcome, Purchase):
            time.sleep(0.5)
