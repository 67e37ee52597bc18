"""Parameter and result types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, NamedTuple, Required, TypedDict, TypeVar

from ._words import GivenRows, Value, Word

__all__ = [
    "AcquiredLock",
    "ChangedRows",
    "Changes",
    "Claim",
    "ClaimOptions",
    "Condition",
    "Expiry",
    "FieldsRow",
    "GivenRows",
    "Lock",
    "Outcome",
    "QueryTime",
    "RawRow",
    "Route",
    "Routed",
    "Row",
    "State",
    "TableInfo",
    "Value",
    "Verified",
    "Word",
]

# `Effective`, or `CloseToExpired` when nothing new should start with the lock.
State = Literal["Effective", "CloseToExpired"]

# The result of `acquire`: the lock was created, or replaced one that was `CloseToExpired`, or another lock is in force.
Outcome = Literal["Created", "Refreshed", "Held"]

# A timestamp: RFC 3339 with an offset, a datetime with a time zone, or "*" for the server's clock.
QueryTime = str | datetime

# `NX`: only what doesn't exist yet; `XX`: only what exists. Checked row by row.
Condition = Literal["NX", "XX"]

# When rows expire: after a time, at a time, when the replaced row would have expired, or never.
Expiry = timedelta | datetime | Literal["keep", "never"]

# A row as stored.
Row = dict[str, str]

# A row of the fields asked for: None if it lacks one.
FieldsRow = dict[str, str | None]

# A row with fields parsed from the JSON they hold.
RawRow = dict[str, Any]

# `Legacy`: old pricing. `Core`: new pricing. `Retired`: neither; the app must ask for a new quote.
Route = Literal["Legacy", "Core", "Retired"]

R = TypeVar("R")


@dataclass(frozen=True)
class Lock:
    """A user's lock: the `queryTime` and the roles for which prices are fetched."""

    role_ids: list[str]
    query_time: str
    """RFC 3339, exactly as stored."""
    state: State


@dataclass(frozen=True)
class AcquiredLock(Lock):
    """The lock in force after `acquire`."""

    outcome: Outcome


@dataclass(frozen=True)
class Verified:
    """Whether a row holds what was expected (`Match` if every field does), and the row."""

    verdict: Literal["Match", "Changed", "Missing"]
    row: Row | None


@dataclass(frozen=True)
class TableInfo:
    """Facts about a table. Expiries are in milliseconds since 1970, None if no row expires."""

    rows: int
    fields: int
    bytes: int
    earliest_expiry: int | None
    latest_expiry: int | None


@dataclass(frozen=True)
class Claim(Generic[R]):
    """The existing rows, and claims on the missing ones."""

    token: str | None
    """The token to write the rows with, None if nothing was claimed."""
    rows: list[R | None]
    """One for each id, in order, None if there is none."""
    claimed: list[str]
    """The ids that this caller must fetch."""
    pending: list[str]
    """The ids that someone else is fetching."""


class ClaimOptions(TypedDict, total=False):
    """Options of `claim`."""

    ttl_ms: Required[int]
    """How long the claims last, in milliseconds, 1 to 600,000."""
    token: str | None
    """The caller's own token, 32 random hex digits in lower case, to renew claims."""
    limit: int | None
    """Claims at most this many rows."""
    refresh_ms: int | None
    """Also claims rows that expire within this many milliseconds."""


@dataclass(frozen=True)
class ChangedRows:
    """Rows with the same expiry and the same fields, by column."""

    expires_at: int | None
    """In milliseconds since 1970, None if never."""
    fields: list[str]
    ids: list[str]
    columns: list[list[str | None]]
    """An array of values for each field, with an entry for each id, None if the row lacks the field."""


@dataclass(frozen=True)
class Changes:
    """The changes that bring a copy of a table up to date."""

    revision: str
    """The revision to pass to the next call; `0` if there is no table."""
    now: int
    """The server's clock, in milliseconds since 1970. Leave out rows that expire at this time or before."""
    whole: bool
    """Whether these are all rows: then drop the old copy. Otherwise apply them to it."""
    groups: list[ChangedRows]
    """Live rows stored since, and perhaps some that the copy already has."""
    deleted: list[str]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Changes:
        groups = [ChangedRows(g["expiresAt"], g["fields"], g["ids"], g["columns"]) for g in told["groups"]]
        return cls(told["revision"], told["now"], told["whole"], groups, told["deleted"])


class Routed(NamedTuple):
    """The pricing a plan's id belongs to, and the id without its tag."""

    route: Route
    id: str
