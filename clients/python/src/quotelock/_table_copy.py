"""A table's rows in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from types import MappingProxyType
from typing import Any, NoReturn

from ._expiries import Expiries
from .types import ChangedRows, Changes

# The size of an entry of the rows, and of a text without its characters.
_ENTRY_BYTES = 104
_TEXT_BYTES = sys.getsizeof("")

NO_TABLE = "0"


class CopiedRow(dict[str, Any]):
    """An immutable row, as all readers share it. `dict(row)` makes a copy."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a row out of a copy can't be changed: take dict(row)")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


class TableCopy:
    """The rows of a table as the server last sent them. Immutable: changes make a new one."""

    __slots__ = ("_clock_ahead", "_expiries", "_rows", "all", "bytes", "revision")

    def __init__(self, revision: str, rows: dict[str, CopiedRow], expiries: Expiries, bytes: int, clock_ahead: float) -> None:
        self.revision = revision
        """The revision to pass to the next `CHANGES`."""
        self.all: Mapping[str, CopiedRow] = MappingProxyType(rows)
        """All rows, the same map until something changes."""
        self.bytes = bytes
        """About how much memory the rows take."""
        self._rows = rows
        self._expiries = expiries
        self._clock_ahead = clock_ahead

    @property
    def is_of_no_table(self) -> bool:
        return self.revision == NO_TABLE

    @property
    def bytes_in_all(self) -> int:
        return self.bytes + self._expiries.bytes

    def rows(self, ids: Iterable[str]) -> list[CopiedRow | None]:
        """The rows of these ids."""
        get = self._rows.get
        return [get(id) for id in ids]

    def unexpired(self, ids: Sequence[str], own_now: float) -> list[CopiedRow] | None:
        """The same rows if all are there and none has expired since, by this process's clock; otherwise None."""
        try:
            rows = [self._rows[id] for id in ids]
        except KeyError:
            return None
        # As if the server had read its clock when the request was sent: so this is slightly ahead rather than behind.
        now = own_now + self._clock_ahead
        if self._expiries.earliest <= now and any(self._expiries.of(id) <= now for id in ids):
            return None
        return rows

    @classmethod
    def updated(cls, before: TableCopy | None, changes: Changes, sent_at: float) -> TableCopy:
        """The copy with the changes applied, requested at `sent_at` of this process's clock. Unchanged rows are shared."""
        if before is None or changes.whole:
            rows, expiries, size = {}, Expiries(_common_expiry(changes)), 0
        else:
            rows, expiries, size = before._rows, before._expiries, before.bytes
            if changes.groups or changes.deleted or expiries.earliest <= changes.now:
                rows, expiries = dict(rows), expiries.copy()

        def drop(ids: Iterable[str]) -> None:
            nonlocal size
            for id in ids:
                row = rows.pop(id, None)
                if row is not None:
                    size -= _bytes_of(id, row)
                    expiries.delete(id)

        drop(changes.deleted)
        for group in changes.groups:
            drop(id for id in group.ids if id in rows)
            told = _rows_of(group)
            rows.update(told)
            expiries.set(told, inf if group.expires_at is None else group.expires_at)
            size += sum(_bytes_of(id, row) for id, row in told.items())
        drop(expiries.expired(rows, changes.now))
        # The same map, as long as it doesn't change.
        is_same = before is not None and rows is before._rows
        copy = cls(changes.revision, rows, expiries, size, changes.now - sent_at)
        if is_same and before is not None:
            copy.all = before.all
        return copy


def _rows_of(group: ChangedRows) -> dict[str, CopiedRow]:
    # Equal texts are kept once.
    known: dict[str | None, str | None] = {}
    columns = [[known.setdefault(value, value) for value in column] for column in group.columns]
    return {id: CopiedRow(zip(group.fields, values)) for id, *values in zip(group.ids, *columns)}


def _common_expiry(changes: Changes) -> float:
    largest = max(changes.groups, key=lambda group: len(group.ids), default=None)
    return inf if largest is None or largest.expires_at is None else largest.expires_at


def _bytes_of(id: str, row: CopiedRow) -> int:
    texts = sum(0 if value is None else len(value) for value in row.values())
    return _ENTRY_BYTES + sys.getsizeof(row) + (1 + len(row)) * _TEXT_BYTES + len(id) + texts
