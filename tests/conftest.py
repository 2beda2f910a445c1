"""Configuration of all tests."""

import os
import signal
import sys

from hypothesis import settings

from regmirror.adapters.environment import HELM_VARIABLES, STORE_VARIABLES, Effect

# The fetcher is part of a chart: its directory has no compiled files.
sys.dont_write_bytecode = True

# The duration of an example depends on the machine, not only on the code.
settings.register_profile("regmirror", deadline=None)
settings.load_profile("regmirror")

# A shell starts its background jobs with SIGINT ignored; tests of Ctrl-C send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What this machine has set for other programs, regmirror ignores with a sentence on standard error.
for variable in (*HELM_VARIABLES, *STORE_VARIABLES):
    if variable.effect is Effect.IGNORED:
        os.environ.pop(variable.name, None)
