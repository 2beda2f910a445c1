"""The entry point of ``regmirror``, of ``kubectl regmirror``, and of ``python -m regmirror``."""

import sys
import warnings
from pathlib import PurePath

COMPLETION_VARIABLE = "_REGMIRROR_COMPLETE"
"""Set by the completion scripts of the shells; the same however the program was started."""


def main() -> None:
    """Run the command line and exit with its code."""
    from regmirror.cli.app import app

    _escape_what_cannot_be_encoded()
    _hide_warnings_of_libraries()
    app(prog_name=program_name(sys.argv[0]), complete_var=COMPLETION_VARIABLE)


def program_name(path: str) -> str:
    """How the user called the program, as its usage shows it."""
    name = PurePath(path).stem
    if name == "__main__":
        return "python -m regmirror"
    return "kubectl regmirror" if name in {"kubectl-regmirror", "kubectl_regmirror"} else "regmirror"


def _escape_what_cannot_be_encoded() -> None:
    """A terminal or log that is not UTF-8 gets escapes such as \\xe9, not an error in the middle of a command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _hide_warnings_of_libraries() -> None:
    """They are for those who write programs; ``python -W`` and PYTHONWARNINGS show them."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


if __name__ == "__main__":
    main()
