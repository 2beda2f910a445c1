"""The documents of ``regmirror user``."""

from typing import Annotated, Literal

from pydantic import Field

from regmirror.config.documents import DocumentPart, MirrorDocument, StepReport


class UserReport(MirrorDocument):
    """The result of the subcommands of ``regmirror user`` that change accounts."""

    kind: Annotated[Literal["UserReport"], Field(description="Kind of the document.")] = "UserReport"
    action: Annotated[Literal["add", "passwd", "groups", "remove"], Field(description="The subcommand.")]
    users: Annotated[list[str], Field(description="The names of the accounts.")]
    changed: Annotated[bool, Field(description="Whether this run changed anything.")]
    in_effect: Annotated[
        bool, Field(description="Whether docker_auth uses the accounts; if not, regmirror deploy makes it use them.")
    ]
    generated_password: Annotated[
        str | None, Field(description="The password that --generate chose; shown only once.")
    ] = None
    tokens_expire_after_seconds: Annotated[
        int | None,
        Field(
            description="After how many seconds every token that was issued before this change has expired; null if "
            "docker_auth is not deployed."
        ),
    ] = None
    steps: Annotated[list[StepReport], Field(description="What this run did, in order.")]


class SignOutReport(MirrorDocument):
    """The result of ``regmirror user sign-out``."""

    kind: Annotated[Literal["SignOutReport"], Field(description="Kind of the document.")] = "SignOutReport"
    ended: Annotated[list[str], Field(description="The named people whose login has ended.")]
    unknown: Annotated[list[str], Field(description="The named people who had no login.")]
    logins_ended: Annotated[int, Field(description="How many logins have ended; with --all, those of everyone.")]


class UserEntry(DocumentPart):
    """One account."""

    name: Annotated[str, Field(description="Name of the account.")]
    groups: Annotated[list[str], Field(description="The groups of the account.")]
    changed: Annotated[
        str | None, Field(description="When it was last changed (RFC 3339); null if not by regmirror user.")
    ]
    rules: Annotated[list[str], Field(description="The rules of the file that name it or one of its groups.")]
    in_effect: Annotated[bool, Field(description="Whether docker_auth has the account as it is here.")]
    problem: Annotated[str | None, Field(description="Why it cannot be used; null if it can.")] = None


class UserList(MirrorDocument):
    """The result of ``regmirror user list``."""

    kind: Annotated[Literal["UserList"], Field(description="Kind of the document.")] = "UserList"
    users: Annotated[list[UserEntry], Field(description="Every account, by name.")]
    warnings: Annotated[list[str], Field(description="Rules without their account, and accounts without a rule.")]
