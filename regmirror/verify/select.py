"""Chooses checks by id, category or time, together with those that they need."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from regmirror.errors import ConfigurationError
from regmirror.verify.check import Category, Check, Stage


def select_checks(
    checks: Sequence[Check], ids: Collection[str] = (), categories: Collection[Category] = (), *, before_deploy: bool
) -> list[Check]:
    """The checks that are asked for and all that they need, in their order; with neither ids nor categories, all.

    ``before_deploy`` chooses those that can be asked while nothing is deployed. Raises ConfigurationError for an id
    that is none of them.
    """
    stages = {Stage.ANY, Stage.BEFORE if before_deploy else Stage.DEPLOYED}
    at_hand = [check for check in checks if check.stage in stages]
    _check_known(ids, [check.id for check in at_hand])
    wanted = {
        check.id for check in at_hand if check.id in ids or check.category in categories or not (ids or categories)
    }
    # A check stands after those that it needs, so one walk from the end finds them all.
    for check in reversed(at_hand):
        if check.id in wanted:
            wanted.update(check.needs)
    return [check for check in at_hand if check.id in wanted]


def _check_known(ids: Collection[str], known: list[str]) -> None:
    for id_ in ids:
        if id_ not in known:
            near = get_close_matches(id_, known, 3)
            raise ConfigurationError(
                f'--check: there is no check "{id_}"', hint=f"there are: {', '.join(near or known)}"
            )
