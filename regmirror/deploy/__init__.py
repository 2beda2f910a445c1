"""Brings a mirror into being: preflight, then steps that each do one thing and can be done again."""
