"""The configuration files with which a container runtime pulls through the mirror, in the runtime's own formats."""
