"""Copies of tables, and how they are kept up to date."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from time import monotonic

from . import _tables
from ._steps import Flow
from ._table_copy import NO_TABLE, TableCopy
from .errors import Reason, ServerError

# The reasons after which a copy is dropped: the server no longer has or shows the table, or can't read the revision. Other
# failures are temporary, and the revision is still valid after them.
_ENDS_A_COPY: frozenset[Reason] = frozenset(["call", "type", "access", "module"])


def own_ms() -> float:
    """This process's monotonic clock."""
    return monotonic() * 1000


class KeptTables:
    """Copies by their tables' keys, within a memory limit. The least recently used are dropped first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._copies: OrderedDict[str, TableCopy] = OrderedDict()
        self._bytes = 0

    @property
    def bytes(self) -> int:
        return self._bytes

    def __len__(self) -> int:
        return len(self._copies)

    def get(self, key: str) -> TableCopy | None:
        """The copy, as of the last call to the server."""
        with self._lock:
            if key in self._copies:
                self._copies.move_to_end(key)
            return self._copies.get(key)

    def keep(self, key: str, copy: TableCopy | None) -> None:
        """Replaces or drops a copy. A copy larger than the limit does not push out the others."""
        with self._lock:
            self._drop(key)
            if copy is None or copy.is_of_no_table or copy.bytes_in_all > self._max_bytes:
                return
            self._copies[key] = copy
            self._bytes += copy.bytes_in_all
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._copies)))

    def _drop(self, key: str) -> None:
        copy = self._copies.pop(key, None)
        if copy is not None:
            self._bytes -= copy.bytes_in_all

    def update(self, key: str, fields: Sequence[str] | None) -> Flow[TableCopy]:
        """A round trip that brings the copy up to date."""
        before = self.get(key)
        sent_at = own_ms()
        try:
            changes = yield from _tables.changes(key, before.revision if before else NO_TABLE, fields=fields)
        except ServerError as error:
            if error.reason in _ENDS_A_COPY:
                self.keep(key, None)
            raise
        copy = TableCopy.updated(before, changes, sent_at)
        self.keep(key, copy)
        return copy
