"""For each alert, series that make it fire and resolve; and the series of a mirror on which none fires."""

from __future__ import annotations

from .promtool import Case

_REGISTRY = 'namespace="mirrors", pod="hub-0", upstream="docker-hub"'
_AUTH = 'namespace="mirrors", pod="auth-0"'


def _requests(kind: str, result: str) -> str:
    return f'regmirror_requests_total{{{_REGISTRY}, kind="{kind}", result="{result}"}}'


def _failures(cause: str) -> str:
    return f'regmirror_registry_failures_total{{{_REGISTRY}, cause="{cause}"}}'


def _cache(name: str) -> str:
    return f"regmirror_layer_{name}{{{_REGISTRY}}}"


def _tokens(result: str) -> str:
    return f'regmirror_requests_total{{{_AUTH}, kind="token", result="{result}"}}'


def _not_after(labels: str) -> str:
    return f"regmirror_certificate_not_after_timestamp_seconds{{{_AUTH}, {labels}}}"


_UP = 'up{namespace="mirrors", pod="hub-0", container="metrics"}'
_SOURCE = 'regmirror_source_up{namespace="mirrors", pod="hub-0", source="registry"}'
_BUILD = 'regmirror_build_info{namespace="mirrors", pod="hub-0", version="1", component="registry"}'
_VERIFIED = f"regmirror_verification_timestamp_seconds{{{_AUTH}}}"
_CHECK = f'regmirror_check_result{{{_AUTH}, check="token-accepted", category="token", upstream="docker-hub"'
_FETCHES = f'regmirror_upstream_fetches_total{{{_REGISTRY}, kind="layer"}}'

CASES: dict[str, Case] = {
    "RegmirrorMetricsMissing": Case({_BUILD: "1x5 _x20 1x20"}, 5, 25, 30),
    "RegmirrorPodDown": Case({_UP: "1x5 0x10 1x20"}, 5, 14, 20),
    "RegmirrorPodRestarts": Case({_SOURCE: "1x5 0 1 0 1 0 1 1x90"}, 6, 12, 80),
    "RegmirrorPullsFail": Case(
        {_requests("tag", "hit"): "0+60x100", _requests("tag", "error"): "0x10 0+10x30 300x60"}, 10, 35, 60
    ),
    "RegmirrorTokensFail": Case({_tokens("ok"): "0+60x100", _tokens("error"): "0x10 0+10x30 300x60"}, 10, 35, 60),
    "RegmirrorNoTraffic": Case({_requests("digest", "hit"): "0+60x10 600x400 600+60x60"}, 300, 400, 430),
    "RegmirrorUpstreamRateLimited": Case({_failures("rate_limited"): "0x5 1x60"}, 5, 8, 40),
    "RegmirrorUpstreamFails": Case({_failures("upstream"): "0x5 0+2x30 60x60"}, 5, 30, 70),
    "RegmirrorStaleContent": Case({_requests("tag", "stale"): "0x5 0+1x80 80x60"}, 60, 80, 120),
    "RegmirrorHitRatioDropped": Case(
        # One day, three hours, and the time after them.
        {_requests("digest", "hit"): "0+300x600", _FETCHES: "0+30x288 8640+270x36 18360+5x200"},
        24 * 60,
        26 * 60,
        29 * 60,
        interval=5,
    ),
    "RegmirrorStorageFails": Case({_failures("store"): "0x5 0+1x20 20x60"}, 5, 20, 60),
    "RegmirrorCacheDiskFull": Case(
        {_cache("volume_free_bytes"): "9e9x5 1e9x20 9e9x20", _cache("cache_limit_bytes"): "8e9x60"}
        | {_cache("cache_bytes"): "1e9x60"},
        5,
        20,
        30,
    ),
    "RegmirrorCacheTooSmall": Case(
        {_cache("cache_evictions_total"): "0x60 0+10x200 2000x200", _cache("cache_layers"): "100x500"}, 60, 220, 400
    ),
    "RegmirrorSigningCertificateExpires": Case(
        {_not_after('certificate="signing"'): f"{31 * 86400}x60 {29 * 86400}x60 {365 * 86400}x60"}, 60, 100, 150
    ),
    "RegmirrorPublicCertificateExpires": Case(
        {_not_after('certificate="public", host="mirror.example.com"'): f"{16 * 86400}x60 {13 * 86400}x60 7e6x60"},
        60,
        100,
        150,
    ),
    "RegmirrorCheckFails": Case(
        {f'{_CHECK}, result="success"}}': "1x5 _x60 1x60", f'{_CHECK}, result="error"}}': "_x5 1x60 stale"}, 3, 30, 70
    ),
    "RegmirrorVerificationOverdue": Case({_VERIFIED: f"0x324 {27 * 3600}x20"}, 25 * 60, 27 * 60, 28 * 60, interval=5),
}

HEALTHY: dict[str, str] = {
    _UP: "1x400",
    _SOURCE: "1x400",
    _BUILD: "1x400",
    'regmirror_start_time_seconds{namespace="mirrors", pod="hub-0"}': "5x400",
    _requests("tag", "hit"): "0+50x400",
    _requests("digest", "hit"): "0+300x400",
    _requests("layer", "miss"): "0+30x400",
    _requests("tag", "stale"): "0x400",
    _requests("tag", "error"): "0+0.5x400",
    _FETCHES: "0+15x400",
    **{_failures(cause): "0x400" for cause in ("rate_limited", "store", "registry")},
    # Every upstream fails now and then.
    _failures("upstream"): "0+0.5x400",
    _cache("cache_bytes"): "8e9x400",
    _cache("cache_limit_bytes"): "8589934592x400",
    _cache("volume_free_bytes"): "1e9x400",
    _cache("cache_layers"): "400x400",
    _cache("cache_evictions_total"): "0+5x400",
    _tokens("ok"): "0+50x400",
    _tokens("error"): "0x400",
    _tokens("refused"): "0+25x400",
    _not_after('certificate="signing"'): f"{365 * 86400}x400",
    _not_after('certificate="public", host="mirror.example.com"'): f"{60 * 86400}x400",
    f'{_CHECK}, result="success"}}': "1x400",
    f'{_CHECK}, result="warning"}}': "1x400",
    _VERIFIED: "0+300x400",
}
"""A sample every five minutes, for more than a day."""
