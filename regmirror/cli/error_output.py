"""What is reported about an error: the lines below its message, and a document for programs."""

from typing import Any

from regmirror.errors import ConfigurationError, RegmirrorError
from regmirror.errors.documentation import REPORT_URL, error_url


def error_advice(error: RegmirrorError) -> list[str]:
    """What to do about an error and where it is explained."""
    return [*([f"  Try: {error.hint}"] if error.hint else []), f"  See: {error_url(error.code)}"]


def error_document(error: RegmirrorError) -> dict[str, Any]:
    """The document of a command that fails."""
    causes = [_document(cause) for cause in error.causes]
    return {"error": _document(error) | ({"causes": causes} if causes else {})}


def _document(error: RegmirrorError) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "documentation": error_url(error.code),
    }


def converted(error: Exception) -> RegmirrorError:
    """What is reported for an exception that is not a RegmirrorError.

    The message of an unexpected error may contain anything, even a secret: only --debug shows it.
    """
    if isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        return converted(error.exceptions[0])
    if isinstance(error, UnicodeEncodeError):
        return ConfigurationError(
            f"the locale's encoding, {error.encoding}, lacks a character of a name or path",
            hint="set the environment variable PYTHONUTF8=1 and run the command again",
        )
    return RegmirrorError(
        f"internal error ({type(error).__name__})", hint=f"rerun with --debug and report the output: {REPORT_URL}"
    )
