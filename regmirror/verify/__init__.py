"""Checks a deployed mirror: the checks as data, a runner that yields their results, and the state they look at."""
