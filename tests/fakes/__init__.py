"""The ports of regmirror in memory, each held to the same contract as the real adapter by tests/ports."""
