"""Upload what lies in dist/ to a package index. What is there already is left alone.

Credentials come from UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD, UV_PUBLISH_TOKEN, a netrc file, or, with
UV_KEYRING_PROVIDER=subprocess, the keyring; no file of the project is asked.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from nous_billing import BillingInvalidRequest
from nous_billing.portal import check_base_url

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index_url", help="where the index takes uploads; it lists its packages at /simple/ below")
    try:
        # The rules of a portal's address are those of an index: passwords go there.
        index = check_base_url(parser.parse_args().index_url, "INDEX_URL")
    except BillingInvalidRequest as error:
        sys.exit(str(error))
    files = sorted((ROOT / "dist").iterdir())
    command: list[str | Path] = [ROOT / ".tools/bin/uv", "publish", "--no-config", "--trusted-publishing", "never"]
    command += ["--publish-url", index, "--check-url", f"{index}/simple/", *files]
    done = subprocess.run(command, timeout=600)
    if done.returncode:
        sys.exit("Not all was published. What is there already was left alone.")
    print(f"{', '.join(file.name for file in files)}: at {index}")


if __name__ == "__main__":
    main()
