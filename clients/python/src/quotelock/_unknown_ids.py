"""Remembers for a time which ids upstream does not know: in this process, so that no screen fetches them again, and in a table
beside the one that lacks them, so that no other pod does, whatever its client."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic

from . import _tables
from ._steps import Flow

# How many ids a process remembers, over all tables.
_MAX_IDS = 100_000

_FIELDS = ["unknown"]


class UnknownIds:
    def __init__(self, for_ms: int) -> None:
        self._for_ms = for_ms
        self._lock = threading.Lock()
        # Until when each is remembered, by table and id. The table last added to comes last.
        self._until: OrderedDict[str, dict[str, float]] = OrderedDict()
        self._count = 0

    def has(self, key: str, id: str) -> bool:
        """Whether this process knows that upstream does not know the id."""
        return self._until.get(key, {}).get(id, 0) > monotonic()

    def among(self, key: str, ids: Sequence[str]) -> Flow[list[str]]:
        """The ids that a pod has found to be unknown."""
        marks = yield from _tables.mget(_key(key), ids, _FIELDS, None)
        unknown = [id for id, mark in zip(ids, marks) if mark is not None]
        self.remember(key, unknown)
        return unknown

    def add(self, key: str, ids: Sequence[str]) -> Flow[None]:
        """Adds ids that upstream does not know."""
        self.remember(key, ids)
        expiry = timedelta(milliseconds=self._for_ms)
        yield from _tables.mset(_key(key), [(id, {"unknown": "1"}) for id in ids], fields=_FIELDS, expiry=expiry)

    def remember(self, key: str, ids: Sequence[str]) -> None:
        """The same, in this process alone."""
        if not ids:
            return
        until = monotonic() + self._for_ms / 1000
        with self._lock:
            table = self._until.setdefault(key, {})
            self._until.move_to_end(key)
            self._count -= len(table)
            table.update(dict.fromkeys(ids, until))
            self._count += len(table)
            while self._count > _MAX_IDS:
                _, oldest = self._until.popitem(last=False)
                self._count -= len(oldest)


def _key(table: str) -> str:
    """No price table has this key, as no part contains a bare `?`. The hash tag is kept."""
    return f"{table}?unknown"
