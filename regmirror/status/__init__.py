"""How a mirror is doing: looked up side by side, never failing for what cannot be seen."""
