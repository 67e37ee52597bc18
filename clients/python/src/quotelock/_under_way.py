"""Shared work under way, so that a process fetches a row from upstream once for all its screens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from ._steps import Flow, Handle, Start, Steps

T = TypeVar("T")


class UnderWay:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By table and id.
        self._work: dict[tuple[str, str], Handle] = {}

    def share(self, key: str, ids: Sequence[str], limit: int, work: Callable[[list[str]], Steps[T]]) -> Flow[list[Handle]]:
        """The work on all of these ids of a table: work already under way, and for the rest new work, on this many ids each."""
        # Starting work takes no time, so this delays nobody.
        with self._lock:
            new = [id for id in ids if (key, id) not in self._work]
            for part in (new[at : at + limit] for at in range(0, len(new), limit)):
                handle = yield from Start(self._ended(key, part, work(part)))
                self._work.update(((key, id), handle) for id in part)
            return list(dict.fromkeys(self._work[key, id] for id in ids))

    def _ended(self, key: str, ids: list[str], work: Steps[T]) -> Flow[T]:
        """The work, which removes itself when it ends."""
        try:
            return (yield from work)
        finally:
            with self._lock:
                for id in ids:
                    del self._work[key, id]
