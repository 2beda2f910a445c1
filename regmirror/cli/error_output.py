"""How an error is reported: code, message, hint and address on standard error, and a document for programs."""

import traceback
from typing import TYPE_CHECKING, Any

from regmirror.cli.options import Format
from regmirror.errors import ConfigurationError, RegmirrorError
from regmirror.errors.documentation import REPORT_URL, error_url

if TYPE_CHECKING:
    from regmirror.cli.terminal import Terminal


def show_error(streams: "Terminal", error: RegmirrorError) -> None:
    """Report an error; with a document as output, on standard output too."""
    if streams.debug:
        streams.info(traceback.format_exc())
    streams.info(f"Error {error.code}: {error.message}", "bold red", wrap=True)
    if error.hint:
        streams.info(f"  Try: {error.hint}")
    streams.info(f"  See: {error_url(error.code)}")
    if streams.output is not Format.TABLE:
        causes = [_document(cause) for cause in error.causes]
        streams.document({"error": _document(error) | ({"causes": causes} if causes else {})})


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
