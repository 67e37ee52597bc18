"""What `get_or_fill` takes and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from ._words import GivenRows

R = TypeVar("R")

# Rows as upstream answers them: by id, or pairs of id and row. Ids that it leaves out are ids it does not know.
Fetched = GivenRows

# Fetches these ids from upstream.
Fetch = Callable[[list[str]], Fetched]
AsyncFetch = Callable[[list[str]], Awaitable[Fetched]]


@dataclass(frozen=True)
class Filled(Generic[R]):
    """Rows, and what it took to have them."""

    rows: list[R | None]
    """One for each id, in order, None where there is none."""
    hits: int
    """How many of the ids were there at once."""
    filled: int
    """How many this call fetched."""
    waited: int
    """How many another pod or call fetched."""
    missing: list[str]
    """Ids that upstream does not know."""
    locked: bool = True
    """False: upstream was asked without the table, under an `UnlockedLock`, as Redis is down, or as its rows have expired already."""


class Warming(Protocol):
    """Tables that are kept warm."""

    def stop(self) -> None:
        """No further moment is begun. What is under way ends by itself."""


class FillError(Exception):
    """Some rows could not be had: upstream failed, or time was up."""

    def __init__(self, filled: Filled[Any], failed: list[str], upstream: Exception) -> None:
        super().__init__(f"{len(failed)} of {len(filled.rows)} rows could not be had: {upstream}")
        self.filled = filled
        """The rows that there are."""
        self.failed = failed
        """The ids of those that could not be had."""
        self.upstream = upstream
        """What upstream failed with. It is no `__cause__`: an upstream that can't be reached is no Redis that can't."""


@dataclass(frozen=True)
class FillOptions:
    """How tables are filled."""

    max_ms: int = 5000
    """No call takes longer."""
    claim_ms: int = 2000
    """How long a claim lasts, which is renewed while upstream takes longer: what a dead pod delays others."""
    fetch_ms: int = 10_000
    """What an upstream call may take. It goes on after `max_ms`, for the next screens. With asyncio it is cancelled then; a thread can't
    be, and goes on for nobody."""
    limit: int = 2000
    """How many ids an upstream call is for."""
    parallel: int = 4
    """How many upstream calls there are at once in this process."""
    tries: int = 3
    """How many upstream calls there are for an id."""
    unknown_ms: int = 60_000
    """How long an id that upstream does not know isn't asked for again; by another pod at most as long once more."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} takes a whole number from 1 on, not {value}")
