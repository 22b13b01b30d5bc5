"""Which version a change demands."""

from packaging.version import Version

IMPACTS = ["none", "patch", "minor", "major"]


def demanded_version(before: str, impact: str) -> str:
    """The lowest version that may follow. Below 1.0.0 what breaks raises the second number, all else the third."""
    if impact == "none":
        return before
    numbers = list(Version(before).release)
    place = min(len(IMPACTS) - 1 - IMPACTS.index(impact) + (numbers[0] == 0), 2)
    return ".".join(str(number) for number in [*numbers[:place], numbers[place] + 1, *[0] * (2 - place)])


def too_low(version: str, demanded: str) -> bool:
    """Whether a version falls short of the demanded one."""
    return Version(version) < Version(demanded)
