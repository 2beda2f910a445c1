"""The documents of ``regmirror why`` and ``regmirror access test``."""

from typing import Annotated, Literal

from pydantic import Field

from regmirror.config.documents import Document, DocumentPart, Timestamp, Unknown


class ClientReport(DocumentPart):
    """The client that wants to pull; all fields are empty for one without a login."""

    user: Annotated[str | None, Field(description="Account of regmirror user.")]
    signed_in: Annotated[str | None, Field(description="Name at the sign-in provider.")]
    groups: Annotated[list[str], Field(description="Groups of the client.")]
    address: Annotated[str | None, Field(description="IP address of the client; null if it is not known.")]


class RuleReport(DocumentPart):
    """The rule that decides."""

    allowed: Annotated[bool, Field(description="Whether the file allows the pull.")]
    key: Annotated[str | None, Field(description="Path of the rule that decides; null if none matches: denied.")]
    pattern: Annotated[str | None, Field(description="The pattern that matches.")]
    file: Annotated[str, Field(description="Path of the configuration file.")]
    line: Annotated[int | None, Field(description="Line of the rule.")]

    @property
    def place(self) -> str:
        """Where the rule is: ``regmirror.yaml:23 upstreams[0].anonymousPull[0] library/*``."""
        return f"{self.file}:{self.line} {self.key} {self.pattern}" if self.key else f"no rule of {self.file} matches"


class OtherRule(DocumentPart):
    """A rule that allows the image to other clients."""

    clients: Annotated[str, Field(description="Whom the rule is about.")]
    key: Annotated[str, Field(description="Path of the rule.")]
    pattern: Annotated[str, Field(description="The pattern that matches.")]
    line: Annotated[int, Field(description="Line of the rule.")]


class MirrorAnswer(DocumentPart):
    """What the deployed mirror says."""

    allowed: Annotated[bool, Field(description="Whether the token that the mirror issues allows the pull.")]
    realm: Annotated[str, Field(description="Where the token was requested.")]


class CacheReport(DocumentPart):
    """What the mirror has cached."""

    digest: Annotated[str, Field(description="Digest of the cached manifest; of a tag, the last one that was seen.")]
    since: Annotated[Timestamp, Field(description="When it was cached.")]
    stale: Annotated[bool | None, Field(description="Whether the upstream has another digest now; null if unknown.")]
    served: Annotated[bool | None, Field(description="Whether the mirror serves it now; null if it was not asked.")]


class UpstreamAnswer(DocumentPart):
    """What the upstream says; it is asked with HEAD requests, which Docker Hub does not count as pulls."""

    state: Annotated[
        Literal["public", "private", "missing", "refused", "rateLimited"],
        Field(
            description="public: everyone can read the image; private: only the mirror's account can; missing: it does "
            "not exist; refused: it does not exist or is private; rateLimited: no pull is left."
        ),
    ]
    digest: Annotated[str | None, Field(description="Digest of the image now.")]
    pulls_left: Annotated[int | None, Field(description="Pulls that are left; null if the upstream has no limit.")]
    pull_limit: Annotated[int | None, Field(description="Pulls in each window; null if the upstream has no limit.")]


class Difference(DocumentPart):
    """The file and the mirror disagree."""

    message: Annotated[str, Field(description="How they differ, and why.")]
    hint: Annotated[str, Field(description="What to do.")]


class WhyReport(Document):
    """Whether a client may pull an image, and why: the result of ``regmirror why IMAGE``."""

    kind: Annotated[Literal["WhyReport"], Field(description="Kind of the document.")] = "WhyReport"
    host: Annotated[str, Field(description="Public host of the upstream at the mirror.")]
    upstream: Annotated[str, Field(description="Name of the upstream.")]
    registry: Annotated[str, Field(description="The upstream in names of images, such as docker.io.")]
    image: Annotated[str, Field(description="The image: repository, and tag or digest.")]
    client: Annotated[ClientReport, Field(description="The client.")]
    allowed: Annotated[
        bool, Field(description="Whether the client may pull: what the mirror says, or the file if it was not asked.")
    ]
    rule: Annotated[RuleReport, Field(description="What the configuration file says.")]
    other_rules: Annotated[list[OtherRule], Field(description="Rules that allow the image to other clients.")]
    mirror: Annotated[MirrorAnswer | None, Field(description="What the mirror says; null if only the file can answer.")]
    cache: Annotated[
        CacheReport | Unknown | None,
        Field(description="The cached manifest; null if there is none, or with --offline."),
    ]
    at_upstream: Annotated[
        UpstreamAnswer | Unknown | None, Field(description="What the upstream says; null with --offline.")
    ]
    pulls: Annotated[
        int | None,
        Field(
            description="How many pulls of the quota this pull takes now, for each platform of the image; null if the "
            "client may not pull, or if it is not known."
        ),
    ]
    difference: Annotated[
        Difference | None, Field(description="How the file and the mirror differ; null if they agree.")
    ]
    next: Annotated[str, Field(description="What a client does then.")]


class ExpectationResult(DocumentPart):
    """One expectation and what the file says."""

    line: Annotated[int, Field(description="Line of the expectation in its file.")]
    image: Annotated[str, Field(description="The image, as in the file of expectations.")]
    upstream: Annotated[str, Field(description="Name of the upstream.")]
    client: Annotated[ClientReport, Field(description="The client.")]
    expected: Annotated[bool, Field(description="Whether the pull is expected to be allowed.")]
    rule: Annotated[RuleReport, Field(description="What the configuration file says.")]

    @property
    def is_met(self) -> bool:
        """Whether the file does what is expected."""
        return self.rule.allowed == self.expected


class AccessTestReport(Document):
    """The result of ``regmirror access test FILE``."""

    kind: Annotated[Literal["AccessTestReport"], Field(description="Kind of the document.")] = "AccessTestReport"
    file: Annotated[str, Field(description="Path of the file of expectations.")]
    failed: Annotated[int, Field(description="Number of expectations that are not met; if any, the exit code is 1.")]
    results: Annotated[list[ExpectationResult], Field(description="Every expectation, in the order of its file.")]
