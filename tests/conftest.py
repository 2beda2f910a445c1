"""Configuration of all tests."""

import signal
import sys

from hypothesis import settings

# The fetcher is part of a chart: its directory has no compiled files.
sys.dont_write_bytecode = True

# The duration of an example depends on the machine, not only on the code.
settings.register_profile("regmirror", deadline=None)
settings.load_profile("regmirror")

# A shell starts its background jobs with SIGINT ignored; tests of Ctrl-C send it.
signal.signal(signal.SIGINT, signal.default_int_handler)
