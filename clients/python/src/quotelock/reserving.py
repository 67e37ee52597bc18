"""The parameters and results of `reserve`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ._words import Word
from .types import Row


@dataclass(frozen=True)
class Seen:
    """What the app sends back: what its user saw."""

    query_time: str | None
    """The `queryTime` of the quote."""
    row: Mapping[str, Word]
    """At least one field of the row that was shown."""


@dataclass(frozen=True)
class Reserved:
    """Whether a vehicle can be reserved at the price its user saw.

    - `Match`: yes; keep the row
    - `Changed`: the lock is the same, but the row differs: show it
    - `NewQuote`: no lock is in force, or one with another `queryTime`, or upstream does not know the vehicle: get a new quote
    """

    verdict: Literal["Match", "Changed", "NewQuote"]
    row: Row | None
    locked: bool = True
    """False: upstream was called without the table, because of an `UnlockedLock`."""
