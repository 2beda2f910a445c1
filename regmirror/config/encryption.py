"""Which URLs need encryption: all but those of a Service in the cluster and of the machine itself."""

from urllib.parse import urlsplit


def is_inside_cluster(url: str | None) -> bool:
    """Whether a URL is that of a Kubernetes Service, which only resolves inside the cluster."""
    host = (urlsplit(url or "").hostname or "").removesuffix(".")
    is_short = bool(host) and not {".", ":"} & set(host)
    return host.endswith((".svc", ".cluster.local")) or (is_short and not _is_loopback(host))


def is_exposed(url: str | None) -> bool:
    """Whether requests to a URL can be read and changed on their way, outside the cluster."""
    parts = urlsplit(url or "")
    return parts.scheme == "http" and not is_inside_cluster(url) and not _is_loopback(parts.hostname or "")


def useless_insecure(*urls: str | None) -> str | None:
    """Why ``insecure: true`` has no effect with these URLs; None if it has one."""
    if any((url or "").startswith("http:") for url in urls):
        return None
    return "has no effect without an http:// URL; certificates of https:// are always verified"


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")
