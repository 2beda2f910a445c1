"""Fetches from the registry what the front lacks: once for all clients that wait, and verified before it is kept."""
