"""Removes a mirror: only what deploy created, and the data in the bucket only on request."""
