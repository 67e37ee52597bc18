"""Copies of tables in this process's memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar, cast, overload

from ._drivers import Driver
from ._faces import Face
from ._kept_tables import KeptTables, own_ms
from ._round_trips import RoundTrips
from ._table_copy import TableCopy
from ._words import Word, words

R = TypeVar("R", bound=Mapping[str, Any])


class PriceTableCopies(Face, Generic[R]):
    """Copies of tables in this process's memory. `VEHPRICE.CHANGES` keeps each one exact: a round trip that returns only what has
    changed since the last one, however many rows there are. Thread-safe.

    `max_bytes` is about how much memory all copies together may take; the least recently used are dropped first. `fields` are the
    fields to copy, by default all. `final` is for tables whose rows never change once stored: named after a `queryTime`, and
    filled with `NX` or under claims. Rows in the copy are returned without a round trip until they expire; the server is only
    called for missing ones. A row deleted on the server is still returned until it expires.
    """

    @overload
    def __init__(
        self: PriceTableCopies[Mapping[str, str]], driver: Driver, *, max_bytes: int, fields: None = None, final: bool = False
    ) -> None: ...
    @overload
    def __init__(
        self: PriceTableCopies[Mapping[str, str | None]],
        driver: Driver,
        *,
        max_bytes: int,
        fields: Sequence[str],
        final: bool = False,
    ) -> None: ...
    def __init__(self, driver: Driver, *, max_bytes: int, fields: Sequence[str] | None = None, final: bool = False) -> None:
        super().__init__(driver)
        self._fields = None if fields is None else list(fields)
        self._kept = KeptTables(max_bytes)
        self._trips = RoundTrips[TableCopy]()
        self._is_final = final

    @property
    def bytes(self) -> int:
        """About how much memory the copies take."""
        return self._kept.bytes

    def __len__(self) -> int:
        """How many tables have a copy."""
        return len(self._kept)

    def of(self, key: str) -> PriceTableCopy[R]:
        """The copy of a table. It is made at the first read, and again after it was dropped."""
        return PriceTableCopy(self, key)

    def _exact(self, key: str) -> TableCopy:
        return self._trips.share(key, lambda: self._take(self._kept.update(key, self._fields)))

    def _rows(self, key: str, ids: list[str]) -> list[Any]:
        kept = self._kept.get(key) if self._is_final else None
        found = kept.unexpired(ids, own_ms()) if kept else None
        return self._exact(key).rows(ids) if found is None else found


class PriceTableCopy(Generic[R]):
    """Reads a table from its copy. Each call first makes one round trip, shared with concurrent calls, so it is as exact as
    reading the rows themselves: it returns whatever was written before the call. With `final`, a call that finds all its ids
    makes no round trip. The copy survives a lost connection, and the next call is exact again.
    """

    def __init__(self, copies: PriceTableCopies[R], key: str) -> None:
        self.key = key
        self._copies = copies

    def row(self, id: Word) -> R | None:
        """A row, or None if there is none."""
        return self.rows([id])[0]

    def rows(self, ids: Sequence[Word]) -> list[R | None]:
        """Rows in the order of the ids, None if there is none. With no ids, the server is not called."""
        texts = words("VEHPRICE.CHANGES", ids)
        return self._copies._rows(self.key, texts) if texts else []

    def all(self) -> Mapping[str, R]:
        """All rows, by id. Returns the same immutable map until the table changes. Calls the server even with `final`."""
        return cast(Mapping[str, R], self._copies._exact(self.key).all)
