"""The adapters of the ports: the only modules that touch the world, and the last that see a library's exceptions."""
