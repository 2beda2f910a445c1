"""Replaces the key that signs tokens, while clients go on pulling: every step is chosen from what the cluster shows."""
