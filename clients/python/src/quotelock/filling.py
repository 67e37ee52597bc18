"""The parameters and results of `get_or_fill`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from ._words import GivenRows

R = TypeVar("R")

# Rows as upstream returns them: by id, or pairs of id and row. Leave out ids that upstream does not know.
Fetched = GivenRows

# Fetches these ids from upstream.
Fetch = Callable[[list[str]], Fetched]
AsyncFetch = Callable[[list[str]], Awaitable[Fetched]]


@dataclass(frozen=True)
class Filled(Generic[R]):
    """Rows, and where they came from."""

    rows: list[R | None]
    """One for each id, in order, None if there is none."""
    hits: int
    """How many of the ids were in the table at once."""
    filled: int
    """How many ids this call fetched."""
    waited: int
    """How many ids another pod or call fetched."""
    missing: list[str]
    """Ids that upstream does not know."""
    locked: bool = True
    """False: the rows came from upstream without the table, because of an `UnlockedLock`, because Redis is down, or because
    the table's rows have already expired."""


class Warming(Protocol):
    """Tables that are kept warm."""

    def stop(self) -> None:
        """Starts no further filling. One under way runs to its end."""


class FillError(Exception):
    """Some rows could not be fetched: upstream failed, or the time was up."""

    def __init__(self, filled: Filled[Any], failed: list[str], upstream: Exception) -> None:
        super().__init__(f"{len(failed)} of {len(filled.rows)} rows could not be had: {upstream}")
        self.filled = filled
        """The rows there are."""
        self.failed = failed
        """The ids of the rows that could not be fetched."""
        self.upstream = upstream
        """Upstream's error. It is not the `__cause__`, as an unreachable upstream doesn't mean that Redis is unreachable."""


@dataclass(frozen=True)
class FillOptions:
    """How tables are filled."""

    max_ms: int = 5000
    """How long a call may take, in milliseconds."""
    claim_ms: int = 2000
    """How long a claim lasts; it is renewed while upstream takes longer. A dead pod delays the others by this much."""
    fetch_ms: int = 10_000
    """How long an upstream call may take. It continues after `max_ms`, for the next screens. After this time asyncio cancels
    it; a thread can't be cancelled, and its result is ignored."""
    limit: int = 2000
    """How many ids an upstream call may have."""
    parallel: int = 4
    """How many upstream calls this process makes at once."""
    tries: int = 3
    """How many times upstream is called for an id."""
    unknown_ms: int = 60_000
    """For how long an id that upstream does not know is not fetched again; by another pod, at most twice as long."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} takes a whole number from 1 on, not {value}")
