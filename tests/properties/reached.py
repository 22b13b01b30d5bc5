"""What the examples of a run reached, as a table: each documented status of each operation, in both directions."""

from collections import Counter

from tests.documented import PAIRS

MOCK, FACADE = "answered by the mock", "read by the facade"


def summary(reports):
    """The lines for the end of a run, from what its tests recorded; none where no property was held."""
    reached, tried = Counter(), Counter()
    for report in reports:
        for name, value in report.user_properties:
            if name == "reached":
                direction, operation, status, examples = value
                reached[direction, operation, status] += examples
            elif name == "examples":
                tried[report.nodeid.partition("[")[0].removeprefix("tests/properties/")] += value
    if tried:
        yield from _by_property(tried)
    if reached:
        yield from _by_pair(reached)


def _by_property(tried):
    yield "\nExamples tried, by property:"
    for name, examples in sorted(tried.items()):
        yield f"  {examples:8,}  {name}"
    yield f"  {tried.total():8,}  in all"


def _by_pair(reached):
    yield f"\n{'Examples by operation and status':34}{MOCK:>22}{FACADE:>22}"
    for operation, status in PAIRS:
        counts = (f"{reached[direction, operation, status] or 'NOT REACHED':>22}" for direction in (MOCK, FACADE))
        yield f"  {operation:26}{status:6}{''.join(counts)}"
    for direction in (MOCK, FACADE):
        missed = sum(not reached[direction, *pair] for pair in PAIRS)
        yield f"{len(PAIRS) - missed} of {len(PAIRS)} documented pairs were {direction}."
