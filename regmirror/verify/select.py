"""Selects checks by id, category and stage, together with the checks that they need."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from regmirror.errors import ConfigurationError
from regmirror.verify.check import Category, Check, Stage


def select_checks(
    checks: Sequence[Check], ids: Collection[str] = (), categories: Collection[Category] = (), *, pre_install: bool
) -> list[Check]:
    """The selected checks and those that they need, in their order; all checks if neither ids nor categories are given.

    ``pre_install`` selects from the checks that can run before the first deployment, else from those of a deployed
    mirror. Raises ConfigurationError for an unknown id.
    """
    stages = {Stage.ANY, Stage.PRE_INSTALL if pre_install else Stage.DEPLOYED}
    available = [check for check in checks if check.stage in stages]
    _check_known(ids, [check.id for check in available])
    wanted = {
        check.id for check in available if check.id in ids or check.category in categories or not (ids or categories)
    }
    # A check comes after those that it needs, so one pass from the end finds them all.
    for check in reversed(available):
        if check.id in wanted:
            wanted.update(check.needs)
    return [check for check in available if check.id in wanted]


def _check_known(ids: Collection[str], known: list[str]) -> None:
    for id_ in ids:
        if id_ not in known:
            near = get_close_matches(id_, known, 3)
            available = f"available: {', '.join(known)}"
            hint = f"did you mean {' or '.join(near)}?" if near else available
            raise ConfigurationError(f'--check: unknown check "{id_}"', hint=hint)
