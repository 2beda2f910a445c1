"""``deploy`` and ``diff``: preflight checks, then steps that each do one thing and are safe to repeat."""
