"""``regmirror init``: writes the configuration file, from options and environment variables, or from answers."""

import os
import sys
from typing import Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE
from regmirror.cli.terminal import terminal

_IMAGE_HELP = "Use this image instead of the official one."


def init(
    file: options.File = DEFAULT_FILE,
    host: Annotated[
        str, typer.Option(envvar="REGMIRROR_HOST", help="Public host name of the mirror.", show_default=False)
    ] = "",
    allow: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help="Namespace or repository that everyone may pull, such as library or acme/tool. Repeatable.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    bucket: Annotated[str, typer.Option(envvar="S3_BUCKET", help="Name of the S3 bucket.")] = "",
    region: Annotated[
        str, typer.Option(envvar="S3_REGION", help="Region of the bucket. Default: AWS_REGION, or us-east-1.")
    ] = "",
    storage_profile: Annotated[
        str, typer.Option(metavar="NAME", help="Kind of the S3 store, such as garage or r2; it knows the region.")
    ] = "",
    volume_size: Annotated[
        str, typer.Option(metavar="SIZE", help="Store the data on volumes of this size instead of in a bucket.")
    ] = "",
    endpoint: Annotated[
        str, typer.Option(metavar="URL", envvar="S3_ENDPOINT", help="URL of an S3-compatible store other than AWS.")
    ] = "",
    create_bucket: Annotated[
        bool, typer.Option("--create-bucket", help="Create the bucket on deploy if it does not exist.")
    ] = False,
    cloud_role: Annotated[
        bool, typer.Option("--cloud-role", help="Use the cloud role of the pods (IRSA) instead of an S3 access key.")
    ] = False,
    upstream: Annotated[
        str, typer.Option(metavar="URL", help="URL of the registry to mirror. Default: Docker Hub.")
    ] = "",
    upstream_name: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the upstream. Default: docker-hub, or after its host.")
    ] = "",
    https_proxy: Annotated[
        str, typer.Option(metavar="URL", help="HTTP proxy through which the pods reach the upstreams.")
    ] = "",
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Accept http:// for the endpoint and the upstream without a warning.")
    ] = False,
    probe_image: Annotated[str, typer.Option(help="Image that verify pulls; it must be allowed.")] = "",
    ingress_class: Annotated[
        str, typer.Option(help="IngressClass. Default: the only one, or the default one, of the cluster.")
    ] = "",
    gateway: Annotated[
        str,
        typer.Option(
            metavar="NAMESPACE/NAME/LISTENER",
            help="Gateway to use instead of an Ingress. Default: the only one, if the cluster has no IngressClass.",
        ),
    ] = "",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the public host.")] = 443,
    service: Annotated[
        options.ServiceType | None,
        typer.Option(help="Expose the mirror with a Service of this type instead of an Ingress."),
    ] = None,
    issuer: Annotated[str, typer.Option(help="cert-manager ClusterIssuer of the TLS certificate.")] = "",
    tls_secret: Annotated[str, typer.Option(help="Secret with the TLS certificate. Default: regmirror-tls.")] = "",
    self_signed: Annotated[
        bool,
        typer.Option("--self-signed", help="Let deploy issue the certificate with a private CA of this mirror."),
    ] = False,
    image_registry: Annotated[
        str,
        typer.Option(
            metavar="HOST[/PATH]",
            envvar="REGMIRROR_IMAGE_REGISTRY",
            help="Pull all images of the mirror's own pods from this registry.",
        ),
    ] = "",
    registry_image: Annotated[str, typer.Option(help=_IMAGE_HELP)] = "",
    auth_image: Annotated[str, typer.Option(help=_IMAGE_HELP)] = "",
    redis_image: Annotated[str, typer.Option(help=_IMAGE_HELP)] = "",
    front_image: Annotated[str, typer.Option(help=_IMAGE_HELP)] = "",
    fetcher_image: Annotated[str, typer.Option(help=_IMAGE_HELP)] = "",
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask questions.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Write regmirror.yaml. In a terminal, asks for every option that is not set.

    Also reads DOCKERHUB_ALLOWED, DOCKERHUB_USERNAME, DOCKERHUB_ACCESS_TOKEN, REDIS_PASSWORD, AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_DEFAULT_REGION. The file refers to secrets and never contains them.

        regmirror init
        regmirror init --yes --host mirror.example.com --allow library,acme --bucket acme-mirror --region eu-central-1
        regmirror init --yes --host mirror.example.com --allow library --bucket acme-mirror --issuer letsencrypt
    """
    with terminal(debug=debug, no_color=no_color) as streams:
        from dataclasses import replace

        from regmirror.cli.init_run import InitTarget, run_init
        from regmirror.config.images import DOCKER_HUB
        from regmirror.config.init_options import IMAGES, allowed_patterns, endpoint_url
        from regmirror.config.variables import options_from_variables

        given = options_from_variables(
            os.environ, cloud_role=cloud_role, upstream_url=upstream or DOCKER_HUB, name=upstream_name
        )
        images = (registry_image, auth_image, redis_image, front_image, fetcher_image)
        given = replace(
            given,
            host=host,
            allowed=allowed_patterns(",".join(allow), given.upstream_url) or given.allowed,
            bucket=bucket,
            region=region,
            endpoint=endpoint_url(endpoint),
            create_bucket=create_bucket,
            profile=storage_profile,
            volume_size=volume_size,
            access_key=None if volume_size else given.access_key,
            namespace=namespace or given.namespace,
            https_proxy=https_proxy,
            insecure=insecure,
            probe_image=probe_image,
            port=port,
            service=service.value if service else "",
            class_name=ingress_class,
            gateway=gateway,
            issuer=issuer,
            tls_secret=tls_secret,
            self_signed=self_signed,
            image_registry=image_registry,
            images=dict(zip(IMAGES, images, strict=True)),
        )
        target = InitTarget(file, kubeconfig, context, is_replaced=force)
        run_init(streams, target, given, ask=not yes and sys.stdin.isatty())
