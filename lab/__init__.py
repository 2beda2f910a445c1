"""A real one-node Kubernetes for demonstrations and tests, built from package registries and closed off from the host.

It needs Linux and root, but no Docker engine, no image registry and no cluster. `python -m lab --help` lists its
commands; docs/lab.md says what is real in it and what stands in for something else.
"""
