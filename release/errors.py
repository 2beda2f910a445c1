"""What can go wrong while a release is built or checked."""


class ReleaseError(Exception):
    """An artifact cannot be built, or is not what it must be; the message says which and why."""
