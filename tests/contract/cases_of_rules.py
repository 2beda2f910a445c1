"""Cases about the patterns, variables and addresses of the access list."""

from collections.abc import Mapping
from urllib.parse import urlencode

from .case import Case, auth, grant, refused
from .configurations import SERVICE

PULL_AND_PUSH = auth("repository:a:pull,push")


def asking(name: str, *actions: str, account: str = "", service: str = SERVICE) -> Case:
    """A request for pull and push of one repository, and the actions that the configuration ``patterns`` grants."""
    query = urlencode({"service": service, "account": account, "scope": f"repository:{name}:pull,push"})
    case_id = f"pattern {name} by {account or 'anonymous'} at {service}"
    access = [grant(name, *actions)]
    return Case(case_id, "patterns", f"/auth?{query}", access=access, subject=account, audience=service)


PATTERNS = [
    asking("first/denied"),
    asking("first/other", "pull"),
    asking("by-service/app", "pull"),
    asking("by-service/app", "push", service="other.example"),
    asking("by-service/app", service="third.example"),
    asking("anchored/a/b", "pull"),
    asking("not/anchored/a"),
    asking("anything/with/free/inside", "pull"),
    asking("alice/app", "pull", account="alice"),
    asking("bob.smith/app", account="alice"),
    asking("bob.smith/app", "pull", account="bob.smith"),
    asking("bobxsmith/app", account="bob.smith"),
    asking("a+b/app", "pull", account="a+b"),
    asking("/app"),
    asking("mail/carol", "pull", account="carol@example.com"),
    asking("mail/alice", account="alice"),
    asking("group/${account:2}", "pull", account="carol@example.com"),
    asking("whole/${account:0}", "pull", account="carol@example.com"),
    asking("capital/carol", "pull", account="carol@example.com"),
    asking("quoted/bob.smith", "pull", account="bob.smith"),
    asking("quoted/bobxsmith", account="bob.smith"),
    asking(f"typed/repository/{SERVICE}", "pull"),
    asking("one-1", "pull"),
    asking("one-/"),
    asking("set-b", "pull"),
    asking("set-d"),
    asking("not-d", "pull"),
    asking("not-b"),
    asking("not-/", "pull"),
    asking("escaped-*", "pull"),
    asking("escaped-x"),
    asking("malformed-["),
    asking("from/loopback", "pull"),
    asking("from/address", "pull"),
    asking("from/elsewhere"),
    asking("from/loopback-6"),
    asking("anonymous/only", "pull"),
    asking("anonymous/only", account="alice"),
    asking("any/account", "pull"),
    asking("any/account", "pull", account="alice"),
    asking("//", "pull"),
    asking("in/no/rule"),
    Case("type by a glob", "patterns", auth("rex:glob/type:pull"), access=[grant("glob/type", "pull", kind="rex")]),
]


def sent_from(id: str, address: str, *actions: str, configuration: str = "behind_ingress") -> Case:
    return Case(id, configuration, PULL_AND_PUSH, access=[grant("a", *actions)], headers={"X-Forwarded-For": address})


def sent_from_nowhere(id: str, message: str, headers: Mapping[str, str]) -> Case:
    return refused(id, "behind_ingress", PULL_AND_PUSH, message, headers=headers)


ADDRESSES = [
    sent_from("address of a header", "192.0.2.7", "pull"),
    sent_from("address of IPv6", "2001:db8::7", "push"),
    sent_from("address with a port", "192.0.2.7:1234", "pull"),
    sent_from("address of IPv6 with a port", "[2001:db8::7]:1234", "push"),
    sent_from("last address of several", "198.51.100.1, 192.0.2.7", "pull"),
    sent_from("first address of several", "192.0.2.7, 198.51.100.1"),
    sent_from("third address", "198.51.100.1,198.51.100.2,192.0.2.7", "pull", configuration="third_hop"),
    sent_from_nowhere("no address", "client address not provided", {}),
    sent_from_nowhere("empty last address", "client address not provided", {"X-Forwarded-For": "192.0.2.7,"}),
    sent_from_nowhere("no real address", "unable to parse remote addr host", {"X-Forwarded-For": "host"}),
    Case("too few addresses", "third_hop", auth(), 0, headers={"X-Forwarded-For": "192.0.2.7"}),
]
