"""Configuration of all tests."""

from hypothesis import settings

# The duration of an example depends on the machine, not only on the code.
settings.register_profile("regmirror", deadline=None)
settings.load_profile("regmirror")
