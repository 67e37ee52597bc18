"""Whether a vehicle can be reserved at what its user saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from . import _tables
from ._fill import Filling, Source, get_or_fill
from ._steps import Flow, Steps
from ._words import Word, word
from .reserving import Reserved, Seen
from .timing import Moment, PriceTable

L = TypeVar("L", bound=Moment)

_NEW_QUOTE = Reserved("NewQuote", None)


def reserve(
    filling: Filling,
    lock: L | None,
    table_of: Callable[[L], PriceTable],
    id: Word,
    seen: Seen,
    fetch: Callable[[list[str]], Any],
    fields: Sequence[str] | None,
) -> Flow[Reserved]:
    """Compares the row with what was seen. One that is missing is fetched first."""
    expected = {field: word(f"reserve, field '{field}'", value) for field, value in seen.row.items()}
    if not expected:
        # Nothing matches anything.
        raise ValueError("reserve takes at least one field that was seen")
    if lock is None or lock.query_time != seen.query_time:
        return _NEW_QUOTE
    table = table_of(lock)
    if table.locked:
        verified = yield from _tables.verify(table.key, id, expected)
        if verified.verdict != "Missing":
            return Reserved(verified.verdict, verified.row)

    def read(ids: list[str]) -> Steps[list[Any]]:
        return _tables.mget(table.key, ids, fields, None)

    filled = yield from get_or_fill(filling, Source(table, fields, fetch), [word("reserve", id)], read)
    row = filled.rows[0]
    if row is None:
        return Reserved("NewQuote", None, filled.locked)
    is_same = all(row.get(field) == text for field, text in expected.items())
    texts = {field: text for field, text in row.items() if text is not None}
    return Reserved("Match" if is_same else "Changed", texts, filled.locked)
