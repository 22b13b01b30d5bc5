"""Examples are the same in every run; long random runs are another matter."""

from hypothesis import settings

settings.register_profile("same-examples", derandomize=True, database=None, deadline=None)
settings.load_profile("same-examples")
