"""Build the archives into dist/ from the tagged commit, not from the working tree."""

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from scripts.proved import BUILT, sums
from scripts.release import tagged_commit
from scripts.surface import ROOT


def main() -> None:
    commit = tagged_commit()
    sources = subprocess.run(
        ["git", "archive", "--format=tar", commit], cwd=ROOT, check=True, capture_output=True
    ).stdout
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(sources)) as archive:
            archive.extractall(folder, filter="tar")
        command: list[str | Path] = [sys.executable, "-m", "build", "--no-isolation", "--outdir", ROOT / "dist", folder]
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"{commit} cannot be built:\n{done.stdout}")
    BUILT.parent.mkdir(exist_ok=True)
    BUILT.write_text(sums(), encoding="utf-8")
    print(f"Built {', '.join(path.name for path in sorted((ROOT / 'dist').iterdir()))} from {commit}.")


if __name__ == "__main__":
    main()
