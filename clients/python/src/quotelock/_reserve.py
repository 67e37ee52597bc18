"""Whether a vehicle can be reserved at the price its user saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from . import _tables
from ._fill import Filling, Source
from ._screen import get_or_fill
from ._steps import Flow
from ._words import Word, word
from .reserving import Reserved, Seen
from .timing import Moment, PriceTable, UnlockedLock

L = TypeVar("L", bound=Moment)


def reserve(
    filling: Filling,
    lock: L | None,
    table_of: Callable[[L], PriceTable],
    id: Word,
    seen: Seen,
    fetch: Callable[[list[str]], Any],
    fields: Sequence[str] | None,
) -> Flow[Reserved]:
    expected, asked = _texts(seen.row), word("reserve", id)
    if lock is None or lock.query_time != seen.query_time:
        return Reserved("NewQuote", None, not isinstance(lock, UnlockedLock))
    table = table_of(lock)
    if table.locked:
        found = yield from filling.go_on(lambda: _tables.verify(table.key, asked, expected), _nothing)
        if found is not None and found.verdict != "Missing":
            return Reserved(found.verdict, found.row)
    filled = yield from get_or_fill(filling, Source.of(table, fields, fetch), [asked])
    [row] = filled.rows
    if row is None:
        return Reserved("NewQuote", None, filled.locked)
    # Compares a row as `VEHPRICE.VERIFY` does, for use without a table.
    is_same = all(row.get(field) == value for field, value in expected.items())
    texts = {field: value for field, value in row.items() if value is not None}
    return Reserved("Match" if is_same else "Changed", texts, filled.locked)


def _nothing() -> Flow[None]:
    yield from ()


def _texts(row: Mapping[str, Word]) -> dict[str, str]:
    """No fields would match any row."""
    if not row:
        raise ValueError("reserve takes at least one field that was seen")
    return {field: word(f"reserve, field '{field}'", value) for field, value in row.items()}
