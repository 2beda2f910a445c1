"""Finds out on a machine what keeps a container runtime from using the mirror."""
