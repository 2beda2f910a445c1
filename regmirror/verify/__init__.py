"""Proves a mirror: checks as data, a runner that knows nothing of output, and what the checks look at."""
