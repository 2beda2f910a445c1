"""Questions in a terminal, asked on standard error; each is repeated until its answer is valid."""

from collections.abc import Callable

from rich.text import Text

from regmirror.cli.terminal import Terminal

Validate = Callable[[str], str | None]
"""Says what is wrong with an answer; None if it is valid."""


class Prompts:
    """Asks the questions of one command."""

    def __init__(self, streams: Terminal) -> None:
        self._streams = streams

    def text(self, question: str, validate: Validate, default: str = "", *, optional: bool = False) -> str:
        """A line of text; an empty answer is the default, or none if the question is optional."""
        while True:
            answer = self._ask(f"{question} [{default}]: " if default else f"{question}: ") or default
            problem = (None if optional else "an answer is required") if not answer else validate(answer)
            if problem is None:
                return answer
            self._reject(problem)

    def choice(self, question: str, choices: tuple[str, ...], default: str = "", *, optional: bool = False) -> str:
        """One of several names."""

        def validate(answer: str) -> str | None:
            return None if answer in choices else f'"{answer}" is not one of {", ".join(choices)}'

        return self.text(f"{question} ({', '.join(choices)})", validate, default, optional=optional)

    def confirm(self, question: str) -> bool:
        """Yes or no; an empty answer is no."""

        def validate(answer: str) -> str | None:
            return None if answer.lower() in {"y", "yes", "n", "no"} else "answer y or n"

        return self.text(f"{question} [y/N]", validate, optional=True).lower().startswith("y")

    def secret(self, question: str) -> str:
        """A text that is not shown while it is typed."""
        while True:
            answer = self._ask(f"{question} (not shown): ", hidden=True)
            if answer:
                return answer
            self._reject("an answer is required")

    def _ask(self, prompt: str, *, hidden: bool = False) -> str:
        return str(self._streams.stderr.input(Text(prompt), password=hidden)).strip()

    def _reject(self, problem: str) -> None:
        self._streams.info(f"  {self._streams.symbols.error} {problem}", "red")
