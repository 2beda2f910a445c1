"""Configuration of all tests."""

import sys

from hypothesis import settings

# The fetcher is part of a chart: its directory has no compiled files.
sys.dont_write_bytecode = True

# The duration of an example depends on the machine, not only on the code.
settings.register_profile("regmirror", deadline=None)
settings.load_profile("regmirror")
