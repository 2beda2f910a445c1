"""A real one-node Kubernetes for demonstrations and tests, built from package registries and isolated from the host.

It requires Linux and root, but no Docker engine, no image registry and no cluster. `python -m lab --help` lists its
commands; docs/contributing/lab.md describes which parts are real and which are stand-ins.
"""
