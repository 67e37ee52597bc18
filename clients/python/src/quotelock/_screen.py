"""One call for a screen: through the table, or with upstream alone."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from ._fill import ExpiredError, Fill, Filling, Source, UpstreamRow, ask
from ._steps import Flow, Run, Wait
from ._time import seconds
from .filling import Filled, FillError


def get_or_fill(filling: Filling, source: Source, ids: list[str]) -> Flow[Filled[Any]]:
    """The rows of these ids. The first pod to claim a missing row fetches it from upstream; while Redis is down, this pod
    fetches it."""
    screen = Screen(filling, source, ids)
    if source.table.locked:
        return (yield from filling.go_on(screen.through_table, screen.without_table))
    return (yield from screen.without_table())


class Screen:
    def __init__(self, filling: Filling, source: Source, ids: list[str]) -> None:
        self._filling = filling
        self._source = source
        self._ids = ids
        self._until = monotonic() + seconds(filling.options.max_ms)
        self._found: dict[str, Any] = {}
        self._hits = 0
        self._fill: Fill | None = None

    def through_table(self) -> Flow[Filled[Any]]:
        rows = yield from self._source.read(self._ids)
        if None not in rows:
            return Filled(rows, len(set(self._ids)), 0, 0, [])
        self._keep(self._ids, rows)
        self._hits = len(self._found)
        absent = self._absent()
        fill = self._fill = Fill(self._filling, self._source, absent, self._until)
        try:
            yield from fill.run()
        except ExpiredError:
            return (yield from self.without_table())
        self._keep(absent, (yield from self._source.read(absent)))
        fetched = fill.count("filled")
        waited = max(0, len(absent) - len(self._absent()) - fetched)
        return self._answer(lambda id: fill.settled.get(id) == "unknown", fill.error, filled=fetched, waited=waited)

    def without_table(self) -> Flow[Filled[Any]]:
        """Keeps the rows already read from the table, and fetches the rest from upstream, once."""
        filling, key = self._filling, self._source.table.key
        # The driver decided how long Redis took to fail.
        self._until = monotonic() + seconds(filling.options.max_ms)
        if self._fill:
            self._take(self._fill.fetched)
        unknown = {id for id in self._absent() if filling.unknown.has(key, id)}
        asked = [id for id in self._absent() if id not in unknown]
        calls = yield from filling.under_way.share(key, asked, filling.options.limit, self._ask)
        left = calls
        while left and monotonic() < self._until:
            yield from Wait(left, self._until - monotonic())
            left = [call for call in left if not call.done()]
        error: Exception | None = None
        for call in calls:
            if call.done():
                try:
                    rows: dict[str, UpstreamRow | None] = call.result()
                except Exception as failed:
                    error = failed
                else:
                    unknown.update(id for id, row in rows.items() if row is None)
                    self._take({id: row for id, row in rows.items() if row is not None})
        return self._answer(unknown.__contains__, error, filled=len(self._found) - self._hits, locked=False)

    def _ask(self, ids: list[str]) -> Flow[dict[str, UpstreamRow | None]]:
        """Upstream's rows, None if it knows none."""
        filling, source = self._filling, self._source
        has_room: bool = yield from Run(lambda: filling.room.acquire(self._until - monotonic()))
        if not has_room:
            raise self._late()
        try:
            rows = yield from ask(filling, source, ids, None)
        finally:
            filling.room.release()
        filling.unknown.remember(source.table.key, [id for id in ids if id not in rows])
        return {id: rows.get(id) for id in ids}

    def _keep(self, ids: list[str], rows: list[Any]) -> None:
        self._found.update((id, row) for id, row in zip(ids, rows) if row is not None)

    def _take(self, rows: dict[str, UpstreamRow]) -> None:
        """Upstream's rows as they would be read from the table."""
        self._found.update((id, self._source.as_read(id, rows[id])) for id in self._absent() if id in rows)

    def _absent(self) -> list[str]:
        return [id for id in dict.fromkeys(self._ids) if id not in self._found]

    def _answer(self, is_unknown: Callable[[str], bool], error: Exception | None, **told: Any) -> Filled[Any]:
        absent = self._absent()
        filled = self._filled([id for id in absent if is_unknown(id)], **told)
        failed = [id for id in absent if not is_unknown(id)]
        if failed:
            raise FillError(filled, failed, error or self._late()) from None
        return filled

    def _filled(self, missing: list[str], filled: int = 0, waited: int = 0, locked: bool = True) -> Filled[Any]:
        return Filled([self._found.get(id) for id in self._ids], self._hits, filled, waited, missing, locked)

    def _late(self) -> Exception:
        return TimeoutError(f"no answer within {self._filling.options.max_ms} ms")
