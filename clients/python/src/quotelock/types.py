"""What methods take and answer."""

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

# What `acquire` came to: the lock is the first, or took the place of a closing one, or another is in force.
Outcome = Literal["Created", "Refreshed", "Held"]

# A moment: RFC 3339 with an offset, or a datetime with a time zone, or "*" for the server's clock.
QueryTime = str | datetime

# `NX`: only what is not there yet; `XX`: only what is. Rows are looked at one by one.
Condition = Literal["NX", "XX"]

# When rows expire: so long from now, at a moment, when the row that is replaced would have, or never.
Expiry = timedelta | datetime | Literal["keep", "never"]

# A row as it is stored.
Row = dict[str, str]

# A row of the fields that were asked for: None where it lacks one.
FieldsRow = dict[str, str | None]

# A row with fields that come as what their JSON says.
RawRow = dict[str, Any]

# `Legacy`: old pricing. `Core`: new pricing. `Retired`: neither, the app asks for a new quote.
Route = Literal["Legacy", "Core", "Retired"]

R = TypeVar("R")


@dataclass(frozen=True)
class Lock:
    """A user's lock: the moment and the roles that prices are asked for."""

    role_ids: list[str]
    query_time: str
    """As it was given, RFC 3339."""
    state: State


@dataclass(frozen=True)
class AcquiredLock(Lock):
    """The lock in force after `acquire`."""

    outcome: Outcome


@dataclass(frozen=True)
class Verified:
    """Whether a row holds what was expected: `Match` when every field does. The row comes along."""

    verdict: Literal["Match", "Changed", "Missing"]
    row: Row | None


@dataclass(frozen=True)
class TableInfo:
    """What is known of a table. Expiries are in milliseconds since 1970, None if no row expires."""

    rows: int
    fields: int
    bytes: int
    earliest_expiry: int | None
    latest_expiry: int | None


@dataclass(frozen=True)
class Claim(Generic[R]):
    """The rows that are there, and the task to fetch those that are not."""

    token: str | None
    """What the rows are written with, None if nothing was claimed."""
    rows: list[R | None]
    """One for each id, in order, None where there is none."""
    claimed: list[str]
    """The ids that this caller is to fetch."""
    pending: list[str]
    """The ids that someone else is fetching."""


class ClaimOptions(TypedDict, total=False):
    """How `claim` claims."""

    ttl_ms: Required[int]
    """How long the claims last, in milliseconds, 1 to 600,000."""
    token: str | None
    """The caller's own: 32 random hex digits, under which claims can be renewed."""
    limit: int | None
    """Claims at most this many."""
    refresh_ms: int | None
    """Claims rows, too, that expire within this many milliseconds."""


@dataclass(frozen=True)
class ChangedRows:
    """Rows that expire at one moment, with the same fields, by column."""

    expires_at: int | None
    """In milliseconds since 1970, None if never."""
    fields: list[str]
    ids: list[str]
    columns: list[list[str | None]]
    """Values by field, each with an entry for each id, None where a row lacks the field."""


@dataclass(frozen=True)
class Changes:
    """What to do to a copy of a table to have it as it is now."""

    revision: str
    """What the next changes are asked since; `0` where there is no table."""
    now: int
    """The server's clock, in milliseconds since 1970. Rows that expire at it or before are to be left out."""
    whole: bool
    """Whether to forget what one has, or to apply this to it."""
    groups: list[ChangedRows]
    """Live rows that were stored since, and perhaps some that were there already."""
    deleted: list[str]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Changes:
        groups = [ChangedRows(g["expiresAt"], g["fields"], g["ids"], g["columns"]) for g in told["groups"]]
        return cls(told["revision"], told["now"], told["whole"], groups, told["deleted"])


class Routed(NamedTuple):
    """Where a plan's id goes, and the id without its tag."""

    route: Route
    id: str
