"""Faults in live configuration files, each with the check that reports it and the expected words."""

from tests.e2e import inject
from tests.e2e.fault import Fault
from tests.e2e.inject import AUTH_FILE, REGISTRY_FILE, configured

CONFIGURATION = [
    Fault(
        "docker_auth's issuer",
        "config-issuer",
        "signs as issuer",
        configured(AUTH_FILE, lambda c: c["token"].update(issuer="x")),
    ),
    Fault(
        "the registry's issuer",
        "config-issuer",
        'expects issuer "x"',
        configured(REGISTRY_FILE, lambda c: c["auth"]["token"].update(issuer="x")),
    ),
    Fault(
        "the registry's service",
        "config-service",
        'service is "x"',
        configured(REGISTRY_FILE, lambda c: c["auth"]["token"].update(service="x")),
    ),
    Fault(
        "the registry's realm",
        "config-service",
        'realm is "https://x/auth"',
        configured(REGISTRY_FILE, lambda c: c["auth"]["token"].update(realm="https://x/auth")),
    ),
    Fault(
        "not read-only",
        "config-safety",
        "it accepts pushes",
        configured(REGISTRY_FILE, lambda c: c["storage"]["maintenance"].pop("readonly")),
    ),
    Fault(
        "an open debug port",
        "config-safety",
        "its debug port",
        configured(REGISTRY_FILE, lambda c: c["http"]["debug"].update(addr=":5001")),
    ),
    Fault(
        "no deletion of expired content",
        "config-safety",
        "expired layers are never deleted",
        configured(REGISTRY_FILE, lambda c: c["storage"].pop("delete")),
    ),
    Fault(
        "any algorithm",
        "config-safety",
        "tokens with any signing algorithm",
        configured(REGISTRY_FILE, lambda c: c["auth"]["token"].pop("signingalgorithms")),
    ),
    Fault(
        "another expiry",
        "config-registry",
        "proxy.ttl",
        configured(REGISTRY_FILE, lambda c: c["proxy"].update(ttl="1h")),
    ),
    Fault(
        "another upstream",
        "config-registry",
        "proxy.remoteurl",
        configured(REGISTRY_FILE, lambda c: c["proxy"].update(remoteurl="https://x")),
    ),
    Fault(
        "another log level",
        "config-registry",
        "log.level",
        configured(REGISTRY_FILE, lambda c: c["log"].update(level="debug")),
    ),
    Fault(
        "a proxy password in the file",
        "config-registry",
        "proxy.password",
        configured(REGISTRY_FILE, lambda c: c["proxy"].update(password="x")),
    ),
    Fault(
        "a missing rule",
        "config-access",
        "access list is missing: library/*",
        configured(AUTH_FILE, lambda c: c["acl"].pop(0)),
    ),
    Fault(
        "an additional rule",
        "config-access",
        "access list also allows: evil/*",
        configured(
            AUTH_FILE,
            lambda c: c["acl"].append({"match": {"type": "repository", "name": "evil/*"}, "actions": ["pull"]}),
        ),
    ),
    Fault(
        "a rule without a match",
        "config-access",
        "access list also allows: any repository",
        configured(AUTH_FILE, lambda c: c["acl"].insert(0, {"actions": ["*"]})),
    ),
    Fault(
        "another order of rules",
        "config-access",
        "another order",
        configured(AUTH_FILE, lambda c: c["acl"].reverse()),
    ),
    Fault(
        "a user with a published password",
        "config-users",
        "are published in its sample configuration",
        configured(AUTH_FILE, lambda c: c["users"].update(admin={"password": "x"})),
    ),
    Fault(
        "no anonymous clients",
        "config-users",
        "every client needs a login",
        configured(AUTH_FILE, lambda c: c.pop("users")),
    ),
    Fault(
        "another token lifetime",
        "config-auth",
        "token.expiration",
        configured(AUTH_FILE, lambda c: c["token"].update(expiration=86400)),
    ),
    Fault(
        "legacy key IDs",
        "config-auth",
        "token.disable_legacy_key_id",
        configured(AUTH_FILE, lambda c: c["token"].pop("disable_legacy_key_id")),
    ),
    Fault(
        "another authentication method",
        "config-auth",
        "google_auth",
        configured(AUTH_FILE, lambda c: c.update(google_auth={"client_id": "x"})),
    ),
    Fault(
        "Redis without eviction",
        "config-redis",
        "maxmemory-policy",
        inject.replaced_text("regmirror-redis-config", "valkey.conf", b"allkeys-lru", b"noeviction"),
    ),
    Fault(
        "Redis with persistence",
        "config-redis",
        "appendonly",
        inject.replaced_text("regmirror-redis-config", "valkey.conf", b"appendonly no", b"appendonly yes"),
    ),
    Fault(
        "another Redis password",
        "cache-password",
        "Redis refuses the registry's password",
        configured(REGISTRY_FILE, lambda c: c["redis"].update(password="x")),
        quick=True,
    ),
    Fault(
        "another S3 secret",
        "storage-bucket",
        "the S3 key is refused",
        configured(REGISTRY_FILE, lambda c: c["storage"]["s3"].update(secretkey="x")),
    ),
    Fault(
        "no S3 key",
        "storage-bucket",
        "has no S3 key",
        configured(REGISTRY_FILE, lambda c: c["storage"]["s3"].pop("accesskey")),
    ),
]
