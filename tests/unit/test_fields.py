"""Each kind of value is read as it is written in the file, and a wrong one is told how to be right."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from regmirror.config.access import PlainText
from regmirror.config.fields import (
    Bucket,
    Duration,
    Host,
    Image,
    Label,
    MemorySize,
    Network,
    Prefix,
    RepositoryPattern,
    Url,
    image_parts,
)
from regmirror.config.kubernetes_fields import LabelValue, ObjectName, QualifiedName, Quantity, Toleration
from regmirror.config.network_policies import Peer
from regmirror.desired.assets import chart_directory

DIGEST = "sha256:" + "0123456789abcdef" * 4


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def invalid_file_error(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Host, "Mirror.Example.COM", "mirror.example.com"),
        (Host, "a.b", "a.b"),
        (Url, "https://registry-1.docker.io/", "https://registry-1.docker.io"),
        (Url, "HTTPS://S3.Example.com:9000", "https://s3.example.com:9000"),
        (Url, "http://minio:9000", "http://minio:9000"),
        (Bucket, "acme-mirror.1", "acme-mirror.1"),
        (Prefix, "/a/b/", "/a/b/"),
        (Prefix, "/", "/"),
        (Prefix, "..a/.b/c..", "..a/.b/c.."),
        (Image, "localhost:5000/a/b:1", "localhost:5000/a/b:1"),
        (Network, "10.42.0.0/16", "10.42.0.0/16"),
        (Network, "FD00::/8", "fd00::/8"),
        (Network, "192.0.2.7", "192.0.2.7/32"),
        (PlainText, "team große", "team große"),
        (Peer, {"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}),
        (
            Peer,
            {
                "namespaceSelector": {"matchLabels": {"team": "edge"}},
                "podSelector": {"matchLabels": {"app": "traefik"}},
            },
            {
                "namespaceSelector": {"matchLabels": {"team": "edge"}},
                "podSelector": {"matchLabels": {"app": "traefik"}},
            },
        ),
        (Url, "http://[fd00::1]:9000", "http://[fd00::1]:9000"),
        (Label, "docker-hub", "docker-hub"),
        (RepositoryPattern, "library/*", "library/*"),
        (RepositoryPattern, "pause", "pause"),
        (RepositoryPattern, "*", "*"),
        (RepositoryPattern, "acme/tool-?.x_y/*", "acme/tool-?.x_y/*"),
        (Quantity, "250m", "250m"),
        (Quantity, 0.5, 0.5),
        (Quantity, "1e3", "1e3"),
        (QualifiedName, "kubernetes.io/arch", "kubernetes.io/arch"),
        (QualifiedName, "cpu", "cpu"),
        (LabelValue, "", ""),
        (LabelValue, "eu_1.a-B", "eu_1.a-B"),
        (ObjectName, "letsencrypt.production-1", "letsencrypt.production-1"),
        (Toleration, {"operator": "Exists"}, {"operator": "Exists"}),
    ],
)
def test_good_values_are_read(kind: Any, value: object, expected: object) -> None:
    assert read(kind, value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Host, "https://mirror.example.com", 'without a scheme: "mirror.example.com"'),
        (Host, "https://", "without a scheme"),
        (Host, "mirror.example.com:8443", 'bare host name "mirror.example.com", and set the key port to 8443'),
        (Host, "https://mirror.example.com:8443/", 'bare host name "mirror.example.com", and set the key port to 8443'),
        (Host, "mirror.example.com:", 'bare host name "mirror.example.com", and set the key port to the port'),
        (Host, "[2001:db8::7]:8443", '"[2001:db8::7]:8443" is not a fully qualified host name'),
        (Host, "2001:db8::7", '"2001:db8::7" is not a fully qualified host name'),
        (Host, "mirror.example.com/v2", 'without a path: "mirror.example.com"'),
        (Host, "mirror", "not a fully qualified host name such as mirror.example.com"),
        (Host, "mirror..example.com", "not a fully qualified host name"),
        (Host, "-a.example.com", "not a fully qualified host name"),
        (Host, "192.0.2.7", "not a fully qualified host name"),
        (Host, ".".join(["a" * 60] * 4), "longer than 190 characters"),
        (Host, 5, "expected a string, not 5: put it in quotes"),
        (Url, "registry-1.docker.io", "is not a URL: write the scheme too, such as https://host.example.com"),
        (Url, "ftp://example.com", "is not a URL: write the scheme too, such as https://host.example.com"),
        (Url, "https://", "is not a URL: write the scheme too, such as https://host.example.com"),
        (Url, "https://a b", "is not a URL: write the scheme too, such as https://host.example.com"),
        (Url, "https://a\nb", "is not a URL: write the scheme too, such as https://host.example.com"),
        (Url, "https://quay.io/v2", 'only scheme and host: "https://quay.io"'),
        (Url, "https://quay.io?X-Signature=hunter2", 'only scheme and host: "https://quay.io"'),
        (Url, "https://quay.io:99999", "the port must be from 1 to 65535"),
        (Url, "https://quay.io:0", "the port must be from 1 to 65535"),
        (Label, "Docker_Hub", "use lowercase letters, digits"),
        (Label, "a" * 64, "at most 63 characters"),
        (RepositoryPattern, "library/Alpine", "is not a repository pattern"),
        (RepositoryPattern, "Acme/**", 'names are lowercase: write "acme/**"'),
        (RepositoryPattern, "acme/tool:1.0", 'tags cannot be limited: write "acme/tool"'),
        (RepositoryPattern, "acme/tool@sha256:12", 'tags cannot be limited: write "acme/tool"'),
        (RepositoryPattern, "library/[ab]", "is not a repository pattern"),
        (RepositoryPattern, "docker.io:443/library/*", "is not a repository pattern"),
        (RepositoryPattern, "library/", "is not a repository pattern"),
        (Image, "docker.io/library/registry", "has no tag or digest"),
        (Image, "localhost:5000/registry", "has no tag or digest"),
        (Image, "registry:3 1", "is not a valid image name such as"),
        (Image, "registry@sha256:12", "is not a valid image name such as"),
        (Image, "Registry:UP:x", "is not a valid image name such as"),
        (Image, "docker.io/library/Registry:3", "is not a valid image name such as"),
        (Image, "https://docker.io/library/registry:3", "is not a valid image name such as"),
        (Image, "registry:٣", "is not a valid image name such as"),
        (Bucket, "my_Bucket!", "is not a valid bucket name: use 3 to 63 lowercase letters"),
        (Bucket, "b", "is not a valid bucket name"),
        (Bucket, "a" * 64, "is not a valid bucket name"),
        (Bucket, "a..b", "is not a valid bucket name"),
        (Bucket, "-ab", "is not a valid bucket name"),
        (Bucket, "192.0.2.7", "is not a valid bucket name"),
        (Bucket, 123, "expected a string, not 123: put it in quotes"),
        (Bucket, ["layers"], "expected a string"),
        (Prefix, "a//b", "is not a path such as mirrors/acme"),
        (Prefix, "..", "is not a path such as mirrors/acme"),
        (Prefix, ".", "is not a path such as mirrors/acme"),
        (Prefix, "/a/../b/", "is not a path such as mirrors/acme"),
        (Prefix, "a/.", "is not a path such as mirrors/acme"),
        (Prefix, "hub/docker/registry/v2", "is within the data of a registry"),
        (MemorySize, "128Mi", "is not a memory size such as 128mb"),
        (Network, "10.42.0.1/16", "is not a network such as 10.42.0.0/16"),
        (Network, "fe80::%eth0/64", "is not a network such as 10.42.0.0/16"),
        (Network, "10.42.0.0/33", "is not a network such as"),
        (Network, "10.42.0.0/16; x", "is not a network such as"),
        (Network, 10, "expected a string, not 10"),
        (PlainText, True, "expected a string, not True"),
        (PlainText, " a", "expected a text without spaces around it"),
        (PlainText, "a\u2028b", "without quotes, backslashes and line breaks"),
        (PlainText, "\udcff", "without quotes, backslashes and line breaks"),
        (Peer, {}, "expected a mapping with namespaceSelector, podSelector or ipBlock"),
        (Peer, {"service": "x"}, "unknown key service; a peer has namespaceSelector, podSelector, ipBlock"),
        (Peer, {"ipBlock": {"cidr": "10.0.0.1"}, "podSelector": {}}, "write two entries"),
        (Peer, {"ipBlock": {"cidr": "10.0.0.0/8", "except": []}}, "ipBlock: expected a mapping with cidr"),
        (Peer, {"podSelector": {"app": "traefik"}}, "podSelector: expected a mapping with matchLabels"),
        (Peer, {"podSelector": {"matchLabels": {"app": 1}}}, "expected a string, not 1"),
        (Duration, 300, "expected a string, not 300"),
        (Duration, "5 minutes", "is not a duration"),
        (Duration, False, "expected a string, not False"),
        (Quantity, True, "is not a quantity"),
        (Quantity, "1 GB", "is not a quantity"),
        (Quantity, ["1Gi"], "is not a quantity"),
        (QualifiedName, "a b", "is not a valid name such as kubernetes.io/arch"),
        (QualifiedName, "/arch", "is not a valid name such as"),
        (QualifiedName, "a" * 64, "is not a valid name such as"),
        (LabelValue, "-x", "is not a valid label value"),
        (LabelValue, "x\n", "is not a valid label value"),
        (LabelValue, True, "expected a string, not True: put it in quotes"),
        (ObjectName, "Lets_Encrypt", "is not a valid object name"),
        (Toleration, {"key": "a b"}, "is not a valid name such as"),
        (Toleration, {"key": "a", "value": "a b"}, "is not a valid label value"),
    ],
)
def test_bad_values_say_what_is_wrong(kind: Any, value: object, words: str) -> None:
    assert words in invalid_file_error(kind, value)


@given(st.from_regex(r"[a-zA-Z0-9./:_@-]{1,20}(:[a-zA-Z0-9_.-]{1,8})?", fullmatch=True) | st.text())
@example("localhost:5000/a__b/c-d:1")
@example("a--b:1")
def test_an_image_that_is_accepted_is_accepted_by_the_charts(image: str) -> None:
    try:
        parts = image_parts(read(Image, image))
    except ValidationError:
        return
    schema = json.loads((chart_directory("registry") / "values.schema.json").read_text())
    for part, rule in schema["definitions"]["image"]["properties"].items():
        assert part == "pullPolicy" or re.search(rule["pattern"], parts[part])


@pytest.mark.parametrize(
    "url",
    ["https://user:hunter2@quay.io", "ftp://user:hunter2@quay.io", "user:hunter2@quay.io", "https://u:hunter2@[::1"],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    message = invalid_file_error(Url, url)
    assert "credentials are not allowed in a URL" in message
    assert "hunter2" not in message


def test_zero_needs_no_unit() -> None:
    assert not read(Duration, 0)
    assert not read(Duration, "0")


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("registry:3.1.2", ("registry", "3.1.2", "")),
        (f"registry@{DIGEST}", ("registry", "", DIGEST)),
        (f"localhost:5000/a/b:1@{DIGEST}", ("localhost:5000/a/b", "1", DIGEST)),
    ],
)
def test_an_image_is_split_into_repository_tag_and_digest(image: str, parts: tuple[str, str, str]) -> None:
    assert tuple(image_parts(read(Image, image)).values()) == parts
