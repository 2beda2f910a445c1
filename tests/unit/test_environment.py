"""The environment of the operator's machine changes neither what is deployed nor where: each variable, one by one."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from regmirror.adapters.aws_session import isolated_session
from regmirror.adapters.environment import HELM_VARIABLES, STORE_VARIABLES, Effect, Variable, require_same_cluster
from regmirror.adapters.helm import Pyhelm3Helm
from regmirror.adapters.object_store import S3ObjectStore
from regmirror.cli.app import app
from regmirror.cli.connections import CommandConnections
from regmirror.config.storage import S3Storage
from regmirror.errors import EnvironmentVariableError, StorageError
from tests import samples

PAGE = Path(__file__).parents[2] / "docs/reference/environment.md"
CREDENTIALS = [name for variable in STORE_VARIABLES if (name := variable.name) and variable.effect is Effect.USED]


def of(effect: Effect, variables: tuple[Variable, ...] = HELM_VARIABLES) -> list[str]:
    return [variable.name for variable in variables if variable.effect is effect]


@pytest.fixture
def seen_by_helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that returns the environment of a Helm that runs with these variables."""
    program = tmp_path / "helm"
    program.write_text("#!/usr/bin/env python3\nimport json, os\nprint(json.dumps(dict(os.environ)))\n")
    program.chmod(0o755)

    def run(**variables: str) -> dict[str, str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        helm = Pyhelm3Helm(str(program), None, "prod", "mirrors", {"S3_SECRET"})
        printed: dict[str, str] = json.loads(asyncio.run(helm._command.run(["env"])))
        return printed

    return run


@pytest.mark.parametrize("name", [*of(Effect.IGNORED), *of(Effect.REFUSED), "HELM_SOMETHING_NEW", "HELM_COLOR"])
def test_helm_does_not_see_a_variable_that_could_change_what_it_does(name: str, seen_by_helm: Any) -> None:
    assert name not in seen_by_helm(**{name: "value"})


@pytest.mark.parametrize("name", [*of(Effect.USED), "KUBECONFIG", "AWS_PROFILE", "SSL_CERT_FILE"])
def test_helm_sees_what_the_kubernetes_client_and_plugins_of_the_kubeconfig_see(name: str, seen_by_helm: Any) -> None:
    assert seen_by_helm(**{name: "value"})[name] == "value"


def test_helm_runs_without_plugins_and_without_secrets(seen_by_helm: Any) -> None:
    seen = seen_by_helm(HELM_NO_PLUGINS="0", S3_SECRET="canary")
    assert seen["HELM_NO_PLUGINS"] == "1"
    assert "S3_SECRET" not in seen


@pytest.mark.parametrize("name", of(Effect.REFUSED))
def test_what_would_send_helm_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(EnvironmentVariableError) as caught:
        require_same_cluster({name: "canary-value"})
    assert caught.value.message.startswith(f"{name} is set: Helm would ")
    assert f"unset {name}" in str(caught.value.hint)
    assert "canary" not in caught.value.message
    require_same_cluster({name: ""})


@pytest.mark.parametrize("driver", ["secret", "secrets"])
def test_the_driver_that_regmirror_uses_is_fine(driver: str) -> None:
    require_same_cluster({"HELM_DRIVER": driver})


def test_the_connections_refuse_it_before_helm_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "regmirror.yaml"
    file.write_text(yaml.safe_dump(samples.document()))
    monkeypatch.setenv("HELM_KUBETOKEN", "canary-token")
    connections = CommandConnections(file, kubeconfig=tmp_path / "absent", helm=str(tmp_path / "absent"))
    with pytest.raises(EnvironmentVariableError):
        _ = connections.helm


@pytest.mark.parametrize("name", [*of(Effect.IGNORED), *of(Effect.IGNORED, STORE_VARIABLES)])
def test_a_command_names_the_variables_that_it_ignores(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["deploy", "-o", "json"], env={name: "canary-value"})
    assert f"{name} is ignored: " in result.stderr
    assert "canary" not in result.output
    assert "cannot read regmirror.yaml" in json.loads(result.stdout)["error"]["message"]
    assert "is ignored" not in CliRunner().invoke(app, ["config", "validate"], env={name: "x"}).output


STORAGE = S3Storage(bucket="layers", region="eu-central-1")
ACCOUNT: Any = samples.mirror_secrets().s3
HOSTILE = {
    "AWS_ENDPOINT_URL": "https://elsewhere.example.com",
    "AWS_ENDPOINT_URL_S3": "https://elsewhere.example.com",
    "AWS_CA_BUNDLE": "/absent/ca.pem",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_S3_USE_ARN_REGION": "true",
    "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "legacy",
    "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS": "true",
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH": "true",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_supported",
    "AWS_AUTH_SCHEME_PREFERENCE": "sigv4a",
    "AWS_SIGV4A_SIGNING_REGION_SET": "*",
    "AWS_DEFAULTS_MODE": "in-region",
    "AWS_RETRY_MODE": "adaptive",
    "AWS_MAX_ATTEMPTS": "9",
    "AWS_REGION": "us-west-2",
    "AWS_DEFAULT_REGION": "us-west-2",
    "AWS_PROFILE": "absent",
    "AWS_CONFIG_FILE": "/absent/config",
}


def settings(storage: S3Storage = STORAGE) -> dict[str, Any]:
    """Everything that decides how the client reaches the store."""
    client: Any = S3ObjectStore(storage, ACCOUNT)._client
    config, credentials = client.meta.config, client._request_signer._credentials
    return {
        "endpoint": client.meta.endpoint_url,
        "region": client.meta.region_name,
        "verify": client._endpoint.http_session._verify,
        "s3": config.s3,
        "retries": config.retries,
        "fips": config.use_fips_endpoint,
        "dualstack": config.use_dualstack_endpoint,
        "request checksums": config.request_checksum_calculation,
        "response checksums": config.response_checksum_validation,
        "signing": (config.auth_scheme_preference, config.sigv4a_signing_region_set),
        "key": credentials.access_key,
    }


def test_every_ignored_variable_of_the_store_is_tried() -> None:
    assert set(of(Effect.IGNORED, STORE_VARIABLES)) <= set(HOSTILE)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_variable_does_not_change_how_the_store_is_reached(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings()
    monkeypatch.setenv(name, HOSTILE[name])
    assert settings() == before


def test_the_configuration_of_aws_tools_does_not_change_it_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = settings()
    lines = ["[default]", "endpoint_url = https://elsewhere.example.com", "ca_bundle = /absent", "region = us-west-2"]
    lines += ["use_fips_endpoint = true", "s3 =", "  addressing_style = path", "  use_accelerate_endpoint = true"]
    (tmp_path / "config").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert settings() == before


def machine_key(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str | None:
    """The access key that a client without an account uses."""
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    client: Any = S3ObjectStore(STORAGE, None)._client
    credentials = client._request_signer._credentials
    return credentials.access_key if credentials else None


def test_without_a_key_the_credentials_of_the_machine_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert machine_key(monkeypatch) is None
    assert machine_key(monkeypatch, AWS_ACCESS_KEY_ID="from-variables", AWS_SECRET_ACCESS_KEY="x") == "from-variables"
    profiles = tmp_path / "credentials"
    profiles.write_text("[other]\naws_access_key_id = from-profile\naws_secret_access_key = x\n")
    chosen = {"AWS_PROFILE": "other", "AWS_SHARED_CREDENTIALS_FILE": str(profiles)}
    assert machine_key(monkeypatch, **chosen) == "from-profile"
    with pytest.raises(StorageError, match=r"cannot read the AWS credentials of this machine: .*absent"):
        machine_key(monkeypatch, AWS_PROFILE="absent")


def test_the_session_knows_every_variable_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version of botocore may read new variables: they are replaced, too."""
    monkeypatch.setenv("AWS_CSM_ENABLED", "true")
    monkeypatch.setenv("AWS_METADATA_SERVICE_TIMEOUT", "99")
    session = isolated_session()._session
    assert session.get_config_variable("csm_enabled") is False
    assert session.get_config_variable("metadata_service_timeout") == 1
    assert session.full_config["profiles"] == {}


@pytest.mark.parametrize("variable", [*HELM_VARIABLES, *STORE_VARIABLES], ids=lambda variable: variable.name)
def test_the_page_names_every_variable(variable: Variable) -> None:
    assert f"`{variable.name}`" in PAGE.read_text()
