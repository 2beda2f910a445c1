"""``regmirror schema``: the JSON Schema of the configuration file."""

import json

from regmirror.cli.terminal import terminal


def schema() -> None:
    """Print the JSON Schema of regmirror.yaml, for editors and for checks in CI.

    regmirror schema > regmirror.schema.json
    """
    with terminal() as streams:
        from regmirror.config.schema import mirror_schema

        streams.print(json.dumps(mirror_schema(), indent=2))
