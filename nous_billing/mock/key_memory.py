"""Idempotency: the portal acts once for each key, and repeats its reply."""

from collections.abc import Callable

from .replies import Refusal, Reply, ReplyLost


class KeyMemory:
    """The idempotency keys of one organisation, each with its request and the reply to it."""

    def __init__(self) -> None:
        self._replies: dict[str, tuple[object, Reply]] = {}

    def remember(self, key: str, request: object, reply: Reply) -> None:
        """Let the reply be repeated to the same request with this key."""
        self._replies[key] = request, reply

    def once(
        self, key: str, request: object, act: Callable[[], Reply], check: Callable[[], None] | None = None
    ) -> Reply:
        """The reply of `act` to the first request with this key, and the same reply to its replays.

        `check` may refuse what is no replay. Only then is the key compared: another request is 409.
        A refused request leaves the key unused.
        """
        earlier = self._replies.get(key)
        if earlier and earlier[0] == request:
            return earlier[1]
        if check is not None:
            check()
        if earlier:
            raise Refusal(409, "idempotency_conflict", "The key was already used for another request.")
        try:
            reply = act()
        except ReplyLost as lost:
            self.remember(key, request, lost.reply)
            raise
        self.remember(key, request, reply)
        return reply
