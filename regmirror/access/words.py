"""Clients, decisions and expectations in words."""

from regmirror.access.report import ClientReport, ExpectationResult


def describe_client(client: ClientReport) -> str:
    """The client: ``user ci (group deploy) from 10.0.0.7``."""
    signed_in = f"{client.signed_in} (signed in)" if client.signed_in else "a client without a login"
    name = f"user {client.user}" if client.user else signed_in
    groups = f" ({'groups' if len(client.groups) > 1 else 'group'} {', '.join(client.groups)})" if client.groups else ""
    return f"{name}{groups}" + (f" from {client.address}" if client.address else "")


def subject_of(result: ExpectationResult) -> str:
    """What is expected: ``user ci may pull acme/private``."""
    verb = "may" if result.expected else "may not"
    return f"{describe_client(result.client)} {verb} pull {result.image}"


def outcome_of(result: ExpectationResult) -> str:
    """What the file says: ``allowed: regmirror.yaml:14 upstreams[0].anonymousPull[0] library/*``."""
    return f"{'allowed' if result.rule.allowed else 'denied'}: {result.rule.place}"
