"""What runs on Windows does without what only other systems have. It is simulated; no test here ran on Windows."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_purchases_need_no_fcntl_no_fork_no_synced_folder_and_no_selector_loop() -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "generated")])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.platforms.buy"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["settled", "settled", "settled", "['50.25', '60.25'] []"]
