"""People who do not wait: they ask again, ask twice at once, look, follow, hang up, and some walk away."""

import asyncio
import json
import random
import time
from contextlib import suppress

import httpx

from tests.service.judging import Answer, Intent

ENDED = ("paid", "declined")
# Of requests that charge, on the bad day.
_TRIES = 6
# Of connections, while the web processes start again.
_MOST_REFUSED = 50


class Person:
    """Wants one thing, and asks any of the web processes for it."""

    def __init__(self, intent: Intent, urls: list[str], chance: random.Random, client: httpx.AsyncClient) -> None:
        self.intent = intent
        self._urls = urls
        self._chance = chance
        self._client = client
        self._headers = {"Authorization": f"Bearer {intent.session}"}

    async def insist(self) -> None:
        """Ask until it has ended, or until patience has."""
        for _ in range(_TRIES):
            answers = await asyncio.gather(*(self._post() for _ in range(self._chance.choice((1, 1, 1, 2)))))
            if any(answer and answer.outcome in ENDED for answer in answers):
                return
            if self.intent.walks_away and not all(answer and answer.status == 503 for answer in answers):
                return
            for _ in range(self._chance.choice((0, 1, 2))):
                follows = self._chance.random() < 0.3
                answer = await (self._follow() if follows else self.look())
                if answer and answer.outcome in ENDED:
                    return
                await asyncio.sleep(self._chance.uniform(0, 0.7))

    async def finish(self) -> str:
        """Ask patiently, and return what is said in the end."""
        for _ in range(12):
            answer = await (self.look() if self.intent.walks_away else self._post(timeout=60))
            if answer and answer.outcome in ENDED:
                break
            await asyncio.sleep(0.7)
        answer = await self.look()
        return answer.outcome if answer else "no answer"

    async def look(self) -> Answer | None:
        return await self._ask("get", "GET", f"/purchases/{self.intent.key}", self._patience())

    async def _post(self, timeout: float | None = None) -> Answer | None:
        order = {"action": self.intent.action, "amount_usd": self.intent.amount_usd}
        return await self._ask("post", "POST", "/purchases", timeout or self._patience(), order)

    async def _ask(self, asked: str, method: str, path: str, timeout: float, order: object = None) -> Answer | None:
        """Ask any process that is there. The answer; None if there was none in time, or the process died."""
        for _ in range(_MOST_REFUSED):
            began = time.time()
            if asked == "post":
                self.intent.posts.append(began)
            try:
                reply = await self._client.request(
                    method, self._chance.choice(self._urls) + path, headers=self._headers, json=order, timeout=timeout
                )
            except httpx.ConnectError:
                await asyncio.sleep(0.2)
            except httpx.TransportError:
                return None
            else:
                try:
                    body = reply.json()
                except ValueError:
                    body = {"message": reply.text}
                return self._heard(Answer(asked, began, time.time(), reply.status_code, body))
        return None

    async def _follow(self) -> Answer | None:
        """Follow for a while; the last event."""
        url = f"{self._chance.choice(self._urls)}/purchases/{self.intent.key}/events"
        last = None
        with suppress(httpx.TransportError, TimeoutError):
            async with (
                asyncio.timeout(self._chance.uniform(0.5, 5)),
                self._client.stream("GET", url, headers=self._headers, timeout=5) as reply,
            ):
                async for line in reply.aiter_lines():
                    if line.startswith("data: "):
                        # What it says was so after the event before it, and not always after the first request.
                        at = time.time()
                        body = json.loads(line.removeprefix("data: "))
                        last = self._heard(Answer("events", at - 1e-3, at, reply.status_code, body))
        return last

    def _heard(self, answer: Answer) -> Answer:
        self.intent.hear(answer)
        return answer

    def _patience(self) -> float:
        return self._chance.choice((0.3, 1, 3, 10, 30))
