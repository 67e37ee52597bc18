"""Fills tables: of all processes one fetches each row. It claims the row, asks upstream and stores it under the claim, while the
others wait."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal, Protocol

from . import _tables
from ._steps import Flow, Handle, Run, Sleep, Start, Steps, Wait
from ._unknown_ids import UnknownIds
from ._words import Value, Word, word
from .filling import Filled, FillError, FillOptions
from .timing import PriceTable

# How long a wait for others lasts at most, before the rows are claimed again.
_WAIT_MS = 1000
# The pause after the first failure; each one that follows doubles it.
_FIRST_PAUSE, _MAX_PAUSE = 0.05, 1.0
# No row has it: so a reply says nothing of rows that will be read anyway.
_NO_FIELDS = ["?"]

_Row = Mapping[str, Value]


class Copy(Protocol):
    """What is read instead of the table. With asyncio it is awaited."""

    def rows(self, ids: Sequence[Word]) -> Any: ...


class Room(Protocol):
    """How many upstream calls there may be at once. With asyncio `acquire` is awaited."""

    def acquire(self, seconds: float) -> Any: ...
    def release(self) -> None: ...


@dataclass(frozen=True)
class Filling:
    """What all tables of a process share."""

    options: FillOptions
    room: Room
    unknown: UnknownIds


@dataclass(frozen=True)
class Source:
    """A table that is to be filled, and where its rows come from."""

    table: PriceTable
    fields: Sequence[str] | None
    fetch: Callable[[list[str]], Any]
    copy: Copy | None = None

    def read(self, ids: list[str]) -> Steps[list[Any]]:
        """The rows that the table has."""
        copy = self.copy
        return _tables.mget(self.table.key, ids, self.fields, None) if copy is None else Run(lambda: copy.rows(ids))

    def known(self, answer: Any, ids: Iterable[str]) -> dict[str, _Row]:
        """The rows that upstream knows, of these ids. A row without a value can't be stored, and is none."""
        asked = set(ids)
        given: Iterable[tuple[Word, _Row]] = answer.items() if isinstance(answer, Mapping) else answer
        rows = ((word("upstream", id), row) for id, row in given)
        return {id: row for id, row in rows if id in asked and self._has_value(row)}

    def _has_value(self, row: _Row) -> bool:
        fields = row if self.fields is None else self.fields
        return any(row.get(field) is not None for field in fields)


def get_or_fill(filling: Filling, source: Source, ids: list[str]) -> Flow[Filled[Any]]:
    """The rows of these ids, where what is missing is fetched from upstream, by whichever pod is first."""
    if not source.table.locked:
        return (yield from _unlocked(source, ids))
    until = monotonic() + filling.options.max_ms / 1000
    rows = yield from source.read(ids)
    absent = dict.fromkeys(id for id, row in zip(ids, rows) if row is None)
    hits = len(set(ids)) - len(absent)
    if not absent:
        return Filled(rows, hits, 0, 0, [])
    fill = _Fill(filling, source, absent, until)
    yield from fill.run()
    rows = yield from source.read(ids)
    missing = list(dict.fromkeys(id for id, row in zip(ids, rows) if row is None))
    unknown = [id for id in missing if fill.settled.get(id) == "unknown"]
    fetched = fill.count("filled")
    filled = Filled(rows, hits, fetched, max(0, len(absent) - len(missing) - fetched), unknown)
    if len(unknown) < len(missing):
        failed = [id for id in missing if fill.settled.get(id) != "unknown"]
        raise FillError(filled, failed, fill.error or TimeoutError(f"no answer within {filling.options.max_ms} ms")) from None
    return filled


def _unlocked(source: Source, ids: list[str]) -> Flow[Filled[Any]]:
    """Upstream's rows as they would be read from the table."""
    wanted = list(dict.fromkeys(ids))
    answer: Any = yield from Run(lambda: source.fetch(list(wanted)))
    known = source.known(answer, wanted)
    rows = {id: _as_read(id, row, source.fields) for id, row in known.items()}
    return Filled([rows.get(id) for id in ids], 0, len(rows), 0, [id for id in wanted if id not in rows], locked=False)


def _as_read(id: str, row: _Row, fields: Sequence[str] | None) -> dict[str, str | None]:
    texts = {field: word(f"row '{id}', field '{field}'", value) for field, value in row.items() if value is not None}
    return dict(texts) if fields is None else {field: texts.get(field) for field in fields}


class _Fill:
    """One call that fills what a table lacks."""

    def __init__(self, filling: Filling, source: Source, ids: Iterable[str], until: float) -> None:
        self._filling = filling
        self._source = source
        self._until = until
        self._tries = dict.fromkeys(ids, 0)
        self._under_way: dict[Handle, list[str]] = {}
        self._failures = 0
        self.settled: dict[str, Literal["filled", "waited", "unknown", "failed"]] = {}
        self.error: Exception | None = None

    def count(self, settled: str) -> int:
        return sum(1 for one in self.settled.values() if one == settled)

    def run(self) -> Flow[None]:
        """Until all rows are settled, or the time is up. What is under way then goes on, for the next screens."""
        self._settle([id for id in self._tries if self._filling.unknown.has(self._source.table.key, id)], "unknown")
        while len(self.settled) < len(self._tries) and self._left > 0:
            pending = yield from self._claim_all()
            if self._under_way:
                yield from Wait(list(self._under_way), self._left)
                yield from self._end_of([handle for handle in self._under_way if handle.done()])
            elif pending:
                wait_ms = max(1, min(_WAIT_MS, round(self._left * 1000)))
                yield from _tables.mget(self._source.table.key, pending, _NO_FIELDS, None, wait_ms)

    @property
    def _left(self) -> float:
        return self._until - monotonic()

    def _open(self) -> list[str]:
        busy = {id for ids in self._under_way.values() for id in ids}
        return [id for id in self._tries if id not in self.settled and id not in busy]

    def _claim_all(self) -> Flow[list[str]]:
        """Claims what is to be fetched and has it fetched, as long as there is room. Answers what others are fetching."""
        room = self._filling.room
        pending: list[str] = []
        while len(self._open()) > len(pending):
            # Whoever has something under way need not wait for room.
            has_room: bool = yield from Run(lambda: room.acquire(0 if self._under_way else self._left))
            if not has_room:
                break
            handle = None
            try:
                handle, pending = yield from self._claim()
            finally:
                if handle is None:
                    room.release()
            if handle is None:
                break
        return pending

    def _claim(self) -> Flow[tuple[Handle | None, list[str]]]:
        options, unknown = self._filling.options, self._filling.unknown
        key = self._source.table.key
        self._settle((yield from unknown.among(key, self._open())), "unknown")
        asked = self._open()
        claim = yield from _tables.claim(key, asked, None, None, ttl_ms=options.claim_ms, limit=options.limit)
        there = [id for id, row in zip(asked, claim.rows) if row is not None]
        self._settle(there, "waited")
        ids = claim.claimed
        if not ids:
            # What nobody is at is fetched without a claim: the server has no room for more of them.
            others = {*there, *claim.pending}
            ids = [id for id in asked if id not in others][: options.limit]
        if not ids:
            return None, claim.pending
        handle = yield from Start(_fetch(self._filling, self._source, ids, claim.token))
        self._under_way[handle] = ids
        return handle, claim.pending

    def _end_of(self, handles: Iterable[Handle]) -> Flow[None]:
        failures = self._failures
        for handle in handles:
            ids = self._under_way.pop(handle)
            try:
                stored, unknown = handle.result()
                error: Exception | None = None
            except Exception as failed:
                stored, unknown, error = [], [], failed
            self._settle(stored, "filled")
            self._settle(unknown, "unknown")
            self._again([id for id in ids if id not in self.settled], error)
        if self._failures > failures:
            # Pods that fail at the same time don't come back at the same time.
            pause = min(_FIRST_PAUSE * 2 ** (self._failures - 1), _MAX_PAUSE) * random.uniform(0.5, 1)
            yield from Sleep(max(0, min(pause, self._left)))

    def _again(self, ids: list[str], error: Exception | None) -> None:
        if not ids:
            return
        self._failures += 1
        self.error = error or self.error
        for id in ids:
            self._tries[id] += 1
        self._settle([id for id in ids if self._tries[id] >= self._filling.options.tries], "failed")

    def _settle(self, ids: Iterable[str], settled: Literal["filled", "waited", "unknown", "failed"]) -> None:
        self.settled.update(dict.fromkeys(ids, settled))


def _fetch(filling: Filling, source: Source, ids: list[str], token: str | None) -> Flow[tuple[list[str], list[str]]]:
    """Fetches rows and stores them, of which others' stand that are there already. Answers which ids have a row now, and which
    upstream does not know."""
    key = source.table.key
    try:
        rows = yield from _ask(filling, source, ids, token)
        stored = list(rows)
        expiry, fields = source.table.expiry, source.fields
        count = yield from _tables.mset(key, rows.items(), fields=fields, condition="NX", expiry=expiry, token=token)
        if count < len(rows):
            # By others; or by the first of two calls, whose reply was lost; or the claim had ended, and they are to be fetched again.
            there = yield from _tables.mget(key, stored, None, None)
            stored = [id for id, row in zip(stored, there) if row is not None]
        unknown = [id for id in ids if id not in rows]
        if unknown:
            yield from filling.unknown.add(key, unknown)
        return stored, unknown
    finally:
        filling.room.release()
        if token is not None:
            yield from _give_up(key, token)


def _ask(filling: Filling, source: Source, ids: list[str], token: str | None) -> Flow[dict[str, _Row]]:
    """Asks upstream, within its time, and renews the claims meanwhile."""
    options = filling.options
    until = monotonic() + options.fetch_ms / 1000
    answer = yield from Start(Run(lambda: source.fetch(list(ids))))
    try:
        while True:
            yield from Wait([answer], max(0, min(until - monotonic(), options.claim_ms / 3000)))
            if answer.done():
                return source.known(answer.result(), ids)
            if monotonic() >= until:
                raise TimeoutError(f"upstream did not answer within {options.fetch_ms} ms")
            if token is not None:
                yield from _renew(source.table.key, ids, token, options.claim_ms)
    finally:
        answer.cancel()


def _renew(key: str, ids: list[str], token: str, claim_ms: int) -> Flow[None]:
    # If it fails, the next one may succeed, and else the claims expire.
    with suppress(Exception):
        yield from _tables.claim(key, ids, None, None, ttl_ms=claim_ms, token=token)


def _give_up(key: str, token: str) -> Flow[None]:
    """So that another pod can take them at once."""
    # If it fails, they expire.
    with suppress(Exception):
        yield from _tables.release(key, token)
