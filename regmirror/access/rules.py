"""What the configuration file says: the rule that decides, and where it is in the file."""

from collections.abc import Iterator

import yaml

from regmirror.access.question import Question, describe_rule
from regmirror.access.report import OtherRule, RuleReport
from regmirror.config.access_decision import applies, decide, entries
from regmirror.config.key_paths import KeyPath, format_path, line_of
from regmirror.config.model import Mirror
from regmirror.config.patterns import matches


class RuleBook:
    """The rules of a configuration file, with their lines."""

    def __init__(self, mirror: Mirror, root: yaml.Node, source: str) -> None:
        self._mirror, self._root, self._source = mirror, root, source

    def decision(self, question: Question) -> RuleReport:
        """The rule that decides; without a key if none matches."""
        found = decide(question.upstream, question.image.repository, question.client)
        if not found.path:
            return RuleReport(allowed=False, key=None, pattern=None, file=self._source, line=None)
        path = self._path(question, *found.path)
        return RuleReport(
            allowed=found.allowed,
            key=format_path(path),
            pattern=found.pattern,
            file=self._source,
            line=line_of(self._root, path),
        )

    def others(self, question: Question) -> Iterator[OtherRule]:
        """Rules that allow the image to other clients: those before one that refuses it to everyone."""
        for entry in entries(question.upstream):
            if not matches(entry.pattern, question.image.repository):
                continue
            if not entry.allows and entry.is_for_everyone:
                return
            if entry.allows and entry.rule and not applies(entry.rule, question.client):
                path = self._path(question, *entry.path)
                yield OtherRule(
                    clients=describe_rule(entry.rule),
                    key=format_path(path),
                    pattern=entry.pattern,
                    line=line_of(self._root, path),
                )

    def _path(self, question: Question, *below: str | int) -> KeyPath:
        return ("upstreams", self._mirror.upstreams.index(question.upstream), *below)
