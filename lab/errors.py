"""The errors that end a command of the lab with one message."""


class LabError(Exception):
    """Something failed; the message says what and how to fix it."""

    exit_code = 1


class UsageError(LabError):
    """The command line or an environment variable is invalid; the message says what is valid."""

    exit_code = 2


class CannotRunHereError(LabError):
    """This machine lacks something that the lab requires; the message names it."""

    exit_code = 2
