"""A process that a test starts."""

import signal
import subprocess
import sys

import pytest

from tests.child import Child


def test_a_process_that_does_not_end_fails_its_test_and_does_not_hang_it():
    with (
        pytest.raises(subprocess.TimeoutExpired),
        Child([sys.executable, "-c", "import time; time.sleep(20)"], stdout=subprocess.PIPE, text=True) as process,
    ):
        process.communicate(timeout=0.1)
    assert process.returncode == -signal.SIGKILL
