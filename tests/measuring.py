"""Branch coverage of the facade, as SlipCover counts it: by changed bytecode, in next to no time, where a tracer takes
almost twice as long. The workers of pytest count; where they are led from, the counts are put together and judged.

Not by SlipCover's own plugin of pytest, which would change whatever pytest rewrites, enumerations of others included.
"""

import io
import json
import os
import sys
from importlib.util import find_spec

import pytest

# What `make test` fails under, in percent. The processes that tests start are not measured.
LEAST = os.environ.get("BRANCH_COVERAGE")
# There are wheels of it only for some machines.
COUNTS = bool(LEAST) and find_spec("slipcover") is not None
SOURCES = ["nous_billing"]
# The mock is not the facade, and runpy compiles a __main__ by itself.
LEFT_OUT = ["nous_billing/mock/*", "nous_billing/__main__.py"]
# Bodies of protocols and overloads.
NEVER_RUN = [r"^\s*\.\.\.$", r": \.\.\.$"]
COUNTED = pytest.StashKey[dict]()
LOST = pytest.StashKey[bool]()

if COUNTS and "PYTEST_XDIST_WORKER" in os.environ:
    import slipcover

    assert "nous_billing" not in sys.modules, "It would not be counted."
    del os.environ["BRANCH_COVERAGE"]
    # The first of them looks for modules that nothing imported.
    searched = SOURCES if os.environ["PYTEST_XDIST_WORKER"] == "gw0" else None
    counter = slipcover.Slipcover(branch=True, source=searched, omit=LEFT_OUT, exclude_also=NEVER_RUN)
    slipcover.ImportManager(counter, slipcover.FileMatcher(sources=SOURCES, omit=LEFT_OUT)).__enter__()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    counted = json.loads(getattr(node, "workeroutput", {}).get("coverage", "{}"))
    if not counted:
        # It ended badly. Without its counts, modules that nobody imports may be missing from the whole.
        node.config.stash[LOST] = COUNTS
    elif COUNTED in node.config.stash:
        import slipcover

        slipcover.merge_coverage(node.config.stash[COUNTED], counted)
    else:
        node.config.stash[COUNTED] = counted


def pytest_sessionfinish(session):
    if not COUNTS:
        return
    if hasattr(session.config, "workeroutput"):
        # As JSON: of the standard types, which is all that can be sent.
        session.config.workeroutput["coverage"] = json.dumps(counter.get_coverage())
    elif session.exitstatus == pytest.ExitCode.OK and (
        session.config.stash.get(LOST, False) or percentage(session.config) < float(LEAST)
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def percentage(config):
    return config.stash[COUNTED]["summary"]["percent_covered"] if COUNTED in config.stash else 0


def pytest_terminal_summary(terminalreporter, config):
    if COUNTED in config.stash:
        import slipcover

        table = io.StringIO()
        slipcover.print_coverage(config.stash[COUNTED], outfile=table, skip_covered=True)
        terminalreporter.write(table.getvalue())
    if COUNTS:
        terminalreporter.write_line(
            f"Branch coverage of the facade: {percentage(config):.2f} %, to be {LEAST} % at least."
            + " The counts of a worker are missing." * config.stash.get(LOST, False)
        )
    elif LEAST:
        terminalreporter.write_line("Branch coverage is not judged here: SlipCover has no wheel for this machine.")
