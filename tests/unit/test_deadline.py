"""What the deadline does once it has passed; how it cuts a call short is shown over sockets."""

import time

import httpcore
import pytest

from nous_billing import deadline


class Opened(httpcore.NetworkBackend):
    def connect_tcp(self, *arguments, **more):
        return httpcore.NetworkStream()


@pytest.fixture
def stream():
    token = deadline.sending.set(deadline.Sending(time.monotonic() + 5))
    yield deadline.DeadlineBackend(Opened()).connect_tcp("127.0.0.1", 1)
    deadline.sending.reset(token)


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (lambda stream: stream.read(1), httpcore.ReadTimeout),
        (lambda stream: stream.write(b"x"), httpcore.WriteTimeout),
        (lambda stream: stream.start_tls(None), httpcore.ConnectTimeout),
        (lambda _: deadline.DeadlineBackend(Opened()).connect_tcp("127.0.0.1", 1), httpcore.ConnectTimeout),
    ],
)
def test_after_the_deadline_no_operation_is_begun(stream, operation, error):
    deadline.sending.get().deadline = time.monotonic() - 1
    with pytest.raises(error):
        operation(stream)
    assert deadline.sending.get().sent is False
