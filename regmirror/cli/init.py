"""``regmirror init``: writes the configuration, from questions on a terminal, from options and variables elsewhere."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE
from regmirror.cli.terminal import Terminal, terminal

if TYPE_CHECKING:
    from regmirror.config.init_options import InitOptions


def init(
    file: options.File = DEFAULT_FILE,
    host: Annotated[
        str, typer.Option(envvar="REGMIRROR_HOST", help="Public host name of the mirror.", show_default=False)
    ] = "",
    allow: Annotated[
        list[str], typer.Option(help="What everyone may pull: NAMESPACE or library/NAME; repeatable, or with commas.")
    ] = [],  # noqa: B006 - typer copies it
    bucket: Annotated[str, typer.Option(envvar="S3_BUCKET", help="S3 bucket.")] = "",
    region: Annotated[str, typer.Option(envvar="S3_REGION", help="Region of the bucket.")] = "",
    endpoint: Annotated[str, typer.Option(envvar="S3_ENDPOINT", help="URL of an S3 store that is not AWS.")] = "",
    create_bucket: Annotated[bool, typer.Option("--create-bucket", help="Have deploy create the bucket.")] = False,
    cloud_role: Annotated[
        bool, typer.Option("--cloud-role", help="No S3 key: the pods have their rights from the cloud.")
    ] = False,
    upstream: Annotated[str, typer.Option(help="The registry to mirror; Docker Hub unless given.")] = "",
    probe_image: Annotated[str, typer.Option(help="An allowed image that verify pulls.")] = "",
    ingress_class: Annotated[str, typer.Option(help="IngressClass; else the cluster's default.")] = "",
    issuer: Annotated[str, typer.Option(help="cert-manager ClusterIssuer of the public certificate.")] = "",
    tls_secret: Annotated[str, typer.Option(help="Secret with the public certificate.")] = "regmirror-tls",  # noqa: S107
    registry_image: Annotated[str, typer.Option(help="In place of the official image.")] = "",
    auth_image: Annotated[str, typer.Option(help="In place of the official image.")] = "",
    redis_image: Annotated[str, typer.Option(help="In place of the official image.")] = "",
    cache_image: Annotated[str, typer.Option(help="In place of the official image of nginx.")] = "",
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Ask nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Write regmirror.yaml: from questions on a terminal, from options and variables elsewhere.

    It reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, S3_REGION, S3_ENDPOINT, S3_BUCKET, DOCKERHUB_USERNAME,
    DOCKERHUB_ACCESS_TOKEN, DOCKERHUB_ALLOWED and REDIS_PASSWORD. Secrets are named in the file, never written to it.

        regmirror init
        regmirror init --yes --host mirror.example.com --allow mjpitz --bucket my-mirror
    """
    with terminal(debug=debug, no_color=no_color) as streams:
        from dataclasses import replace

        from regmirror.cli.init_questions import ask_missing, write_configuration
        from regmirror.config.init_options import allowed_patterns
        from regmirror.config.variables import answers_from_variables
        from regmirror.errors import ConfigurationError

        if file.exists() and not force:
            raise ConfigurationError(f"{file} exists", hint="use it as it is, or replace it: regmirror init --force")
        given = answers_from_variables(os.environ, cloud_role=cloud_role)
        answers = replace(
            given,
            host=host,
            allowed=allowed_patterns(",".join(allow)) or given.allowed,
            bucket=bucket,
            region=region or "us-east-1",
            endpoint=endpoint,
            create_bucket=create_bucket,
            namespace=namespace or given.namespace,
            upstream_url=upstream or given.upstream_url,
            probe_image=probe_image,
            class_name=ingress_class,
            issuer=issuer,
            tls_secret=tls_secret,
            images={"registry": registry_image, "auth": auth_image, "redis": redis_image, "cache": cache_image},
        )
        if not yes and sys.stdin.isatty():
            answers = ask_missing(streams, answers, file.parent, kubeconfig, context, cloud_role=cloud_role)
        _require(answers)
        write_configuration(file, answers)
        _tell_next(streams, file, answers)


def _require(answers: "InitOptions") -> None:
    from regmirror.errors import ConfigurationError

    missing = [
        f"{what} ({how})"
        for what, how, value in (
            ("the host name", "--host or REGMIRROR_HOST", answers.host),
            ("the bucket", "--bucket or S3_BUCKET", answers.bucket),
            ("what everyone may pull", "--allow or DOCKERHUB_ALLOWED", answers.allowed),
        )
        if not value
    ]
    if missing:
        raise ConfigurationError(
            "missing: " + ", ".join(missing), hint="give them, or run regmirror init on a terminal"
        )


def _tell_next(streams: Terminal, file: Path, answers: "InitOptions") -> None:
    streams.info(f"{streams.symbols.ok} {file} written: everyone may pull {', '.join(answers.allowed)}", "green")
    references = [r for a in (answers.access_key, answers.credentials) if a for r in (a.name, a.password)]
    unset = [reference["env"] for reference in references if "env" in reference and reference["env"] not in os.environ]
    if unset:
        streams.info(f"  Before deploy, set: {', '.join(unset)}")
    if not answers.issuer:
        secret = f"secret tls {answers.tls_secret} --cert=tls.crt --key=tls.key"
        streams.info(f"  The certificate of {answers.host} belongs into a Secret, unless it is there already:")
        streams.info(f"    kubectl create namespace {answers.namespace}")
        streams.info(f"    kubectl -n {answers.namespace} create {secret}")
    streams.info(f"Next: regmirror deploy{'' if file == DEFAULT_FILE else f' -f {file}'}")
