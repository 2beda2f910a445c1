"""Proves on each node that its container runtime pulls through the mirror, and finds out why one does not."""
