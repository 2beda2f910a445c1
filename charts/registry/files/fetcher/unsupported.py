"""Manifests that the upstream has and the registry cannot read: no failure, and no better after a retry."""

import re

# Not text/html and the like, which are no manifests: a proxy or the upstream has failed.
_REFUSED = re.compile(rb"unsupported manifest media type and no default available: (application/vnd\.[\w.+-]{1,120})\"")


def unsupported_type(body: bytes) -> str:
    """The media type of a manifest that the registry has refused, by its error document; empty for other errors.

    See distribution 3.1.2, ``manifests.go``. Images that Docker pushed before 2016 have such a type (schema 1).
    """
    refused = _REFUSED.search(body)
    return refused[1].decode() if refused else ""
