"""What `reserve` takes and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ._words import Word
from .types import Row


@dataclass(frozen=True)
class Seen:
    """What an app sends back of what its user saw."""

    query_time: str | None
    """The moment of the quote."""
    row: Mapping[str, Word]
    """Fields of the row that was shown, at least one."""


@dataclass(frozen=True)
class Reserved:
    """Whether a vehicle can be reserved at what its user saw.

    - `Match`: it can; keep the row
    - `Changed`: under the same lock, the row is another: show it
    - `NewQuote`: no lock is in force, or one of another moment, or upstream does not know the vehicle: ask for a quote
    """

    verdict: Literal["Match", "Changed", "NewQuote"]
    row: Row | None
    locked: bool = True
    """False: upstream was asked without the table, under an `UnlockedLock`."""
