"""Replaces the key that signs tokens without failing a pull; every step is derived from the state of the cluster."""
