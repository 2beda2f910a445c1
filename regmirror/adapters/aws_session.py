"""A boto3 session that follows the configuration file, and takes nothing but credentials from the machine.

Otherwise ``deploy`` would check another store than the pods use: botocore reads an endpoint, a CA and more from the
environment and from ``~/.aws/config``.
"""

import os
from typing import Any

import boto3
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConstantProvider
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from regmirror.errors import StorageError

_SECTIONS = ("s3", "proxies_config")


class _MachineCredentials:
    """Finds the credentials of this machine as every AWS tool does; they refresh themselves."""

    def load_credentials(self) -> Any:
        """The credentials; None if the machine has none. Raises StorageError if they cannot be read."""
        try:
            return Session().get_credentials()
        except BotoCoreError as error:
            raise StorageError(
                f"cannot read the AWS credentials of this machine: {error}",
                hint="check AWS_PROFILE and ~/.aws, or set storage.accessKey",
            ) from error


def isolated_session() -> Any:
    """The session; with explicit keys it does not read the credentials of the machine, either."""
    session = Session()
    variables = session.get_component("config_store")
    for name, (_, _, default, _) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        variables.set_config_provider(name, ConstantProvider(default))
    for name in _SECTIONS:
        variables.set_config_provider(name, ConstantProvider(None))
    for name in ("config_file", "credentials_file"):
        variables.set_config_provider(name, ConstantProvider(os.devnull))
    variables.set_config_provider("ignore_configured_endpoint_urls", ConstantProvider(value=True))
    session.register_component("credential_provider", _MachineCredentials())
    return boto3.Session(botocore_session=session)
