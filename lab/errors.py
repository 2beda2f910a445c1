"""The errors that end a command of the lab with one clear sentence."""


class LabError(Exception):
    """Something failed; the message says what, where, and what to do."""

    exit_code = 1


class UsageError(LabError):
    """The command or its environment asks for something that does not exist; the message says what does."""

    exit_code = 2


class CannotRunHereError(LabError):
    """This machine lacks something that the lab needs; the message names it."""

    exit_code = 2
