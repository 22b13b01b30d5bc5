"""Runs generators that read and write against a script of what is read."""

from dataclasses import dataclass, field

from nous_billing._secrets import reveal


@dataclass
class Ran:
    """What came of one: its result or what it raised, what it wrote, and what it left unread."""

    result: object = None
    error: Exception | None = None
    written: bytes = b""
    unread: list = field(default_factory=list)


def ran(io, *reads, write_error=None):
    """Run a generator; an exception among ``reads`` is thrown into it, as a socket's is."""
    outcome = Ran(unread=list(reads))
    try:
        data = next(io)
        while True:
            if data is None:
                read = outcome.unread.pop(0)
                data = io.throw(read) if isinstance(read, Exception) else io.send(read)
            elif write_error is not None:
                data = io.throw(write_error)
            else:
                outcome.written += reveal(data)
                data = io.send(b"")
    except StopIteration as end:
        outcome.result = end.value
    except Exception as error:  # noqa: BLE001 - a test looks at it
        outcome.error = error
    return outcome
