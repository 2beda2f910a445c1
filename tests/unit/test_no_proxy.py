"""Which URLs are reached directly, as Go's programs decide it."""

from __future__ import annotations

import pytest

from regmirror.config.no_proxy import is_direct, is_no_proxy_entry


@pytest.mark.parametrize(
    ("entry", "url", "direct"),
    [
        ("example.com", "https://example.com", True),
        ("example.com", "https://s3.example.com", True),
        ("example.com", "https://badexample.com", False),
        ("Example.COM", "https://EXAMPLE.com", True),
        (".example.com", "https://s3.example.com", True),
        (".example.com", "https://example.com", False),
        ("*.example.com", "https://s3.example.com", True),
        ("*.example.com", "https://example.com", False),
        ("example.com:8443", "https://example.com:8443", True),
        ("example.com:8443", "https://example.com", False),
        ("example.com:443", "https://example.com", True),
        ("example.com:80", "http://example.com", True),
        (".svc", "http://minio.storage.svc:9000", True),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://192.0.2.1", False),
        ("10.0.0.0/8", "https://store.example.com", False),
        ("10.1.2.3", "https://10.1.2.3:9000", True),
        ("10.1.2.3:9000", "https://10.1.2.3", False),
        ("10.1.2.3:9000", "https://10.1.2.3:9000", True),
        ("3", "https://10.1.2.3", False),
        ("fd00::/8", "https://[fd00::1]", True),
        ("[fd00::1]:9000", "https://[fd00::1]:9000", True),
        ("fd00::1", "https://[fd00::2]", False),
        ("other.example.com", "http://localhost:5000", True),
        ("other.example.com", "http://127.0.0.9:5000", True),
        ("other.example.com", "http://[::1]:5000", True),
    ],
)
def test_an_entry_matches(entry: str, url: str, direct: bool) -> None:
    assert is_no_proxy_entry(entry)
    assert is_direct(url, [entry]) is direct


@pytest.mark.parametrize(
    "entry", ["*", "", "https://example.com", "a b", "10.0.0.0/99", "example.com,b", "a/b", "-x.com"]
)
def test_another_text_is_no_entry(entry: str) -> None:
    assert not is_no_proxy_entry(entry)
