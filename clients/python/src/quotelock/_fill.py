"""Fills tables: of all processes one fetches each row. It claims the row, fetches it from upstream and stores it under the claim, while the
others wait."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Literal, Protocol, TypeVar

from . import _tables
from ._outage import Breaker
from ._steps import Flow, Handle, Run, Sleep, Start, Steps, Wait
from ._time import unix_ms
from ._under_way import UnderWay
from ._unknown_ids import UnknownIds
from ._words import Value, Word, word
from .filling import FillOptions
from .timing import PriceTable

T = TypeVar("T")

# How long a wait for others lasts at most, before the rows are claimed again.
_WAIT_MS = 1000
# The pause after the first failure; each one that follows doubles it.
_FIRST_PAUSE, _MAX_PAUSE = 0.05, 1.0
# No row has it: so a reply says nothing of rows that will be read anyway.
_NO_FIELDS = ["?"]

# A row as upstream answers it.
UpstreamRow = Mapping[str, Value]


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
    longest_wait_ms: int
    """How long the driver's time-out lets a call wait."""
    outage: Breaker | None = None
    under_way: UnderWay = field(default_factory=UnderWay)

    def go_on(self, redis: Callable[[], Steps[T]], without: Callable[[], Steps[T]]) -> Steps[T]:
        """Without Redis while it is down, if there is an outage to go on in."""
        return redis() if self.outage is None else self.outage.go_on(redis, without)


@dataclass(frozen=True)
class Source:
    """A table that is to be filled, and where its rows come from."""

    table: PriceTable
    fields: Sequence[str] | None
    ask: Callable[[list[str]], Steps[Any]]
    copy: Copy | None = None

    @classmethod
    def of(cls, table: PriceTable, fields: Sequence[str] | None, fetch: Callable[[list[str]], Any], copy: Copy | None = None) -> Source:
        """Where a function of the caller's own fetches from upstream."""
        return cls(table, fields, lambda ids: Run(lambda: fetch(ids)), copy)

    def read(self, ids: list[str]) -> Steps[list[Any]]:
        """The rows that the table has."""
        copy = self.copy
        return _tables.mget(self.table.key, ids, self.fields, None) if copy is None else Run(lambda: copy.rows(ids))

    def known(self, answer: Any, ids: Iterable[str]) -> dict[str, UpstreamRow]:
        """The rows that upstream knows, of these ids. A row without a value can't be stored, and is none."""
        asked = set(ids)
        given: Iterable[tuple[Word, UpstreamRow]] = answer.items() if isinstance(answer, Mapping) else answer
        rows = ((word("upstream", id), row) for id, row in given)
        return {id: row for id, row in rows if id in asked and self._has_value(row)}

    def as_read(self, id: str, row: UpstreamRow) -> dict[str, str | None]:
        """A row as it will be read from the table."""
        texts = {name: word(f"upstream, row '{id}', field '{name}'", value) for name, value in row.items() if value is not None}
        return dict(texts) if self.fields is None else {name: texts.get(name) for name in self.fields}

    def _has_value(self, row: UpstreamRow) -> bool:
        fields = row if self.fields is None else self.fields
        return any(row.get(name) is not None for name in fields)


class ExpiredError(Exception):
    """Rows of this table have expired already, by the server's clock."""


class Fill:
    """One call that fills what a table lacks."""

    def __init__(self, filling: Filling, source: Source, ids: Iterable[str], until: float) -> None:
        self._filling = filling
        self._source = source
        self._until = until
        self._tries = dict.fromkeys(ids, 0)
        self._under_way: dict[Handle, list[str]] = {}
        self._failures = 0
        self.settled: dict[str, Literal["filled", "waited", "unknown", "failed"]] = {}
        self.fetched: dict[str, UpstreamRow] = {}
        """What upstream answered, stored or not."""
        self.error: Exception | None = None
        """What upstream failed with last."""

    def count(self, settled: str) -> int:
        return sum(1 for one in self.settled.values() if one == settled)

    def run(self) -> Flow[None]:
        """Until all rows are settled, or the time is up. What is under way then goes on, for the next screens. It fails as Redis
        does."""
        self._settle([id for id in self._tries if self._filling.unknown.has(self._source.table.key, id)], "unknown")
        while len(self.settled) < len(self._tries) and self._left > 0:
            pending = yield from self._claim_all()
            if self._under_way:
                yield from Wait(list(self._under_way), self._left)
                yield from self._end_of([handle for handle in self._under_way if handle.done()])
            elif pending:
                wait_ms = max(1, min(_WAIT_MS, self._filling.longest_wait_ms, round(self._left * 1000)))
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
            outcome: _Outcome = handle.result()
            self.fetched.update(outcome.fetched)
            self.error = outcome.upstream or self.error
            if outcome.redis:
                raise outcome.redis
            self._settle(outcome.stored, "filled")
            self._settle(outcome.unknown, "unknown")
            self._again([id for id in ids if id not in self.settled])
        if self._failures > failures:
            # Pods that fail at the same time don't come back at the same time.
            pause = min(_FIRST_PAUSE * 2 ** (self._failures - 1), _MAX_PAUSE) * random.uniform(0.5, 1)
            yield from Sleep(max(0, min(pause, self._left)))

    def _again(self, ids: list[str]) -> None:
        if not ids:
            return
        self._failures += 1
        for id in ids:
            self._tries[id] += 1
        self._settle([id for id in ids if self._tries[id] >= self._filling.options.tries], "failed")

    def _settle(self, ids: Iterable[str], settled: Literal["filled", "waited", "unknown", "failed"]) -> None:
        self.settled.update(dict.fromkeys(ids, settled))


@dataclass(frozen=True)
class _Outcome:
    """What it came to to fetch rows and store them."""

    fetched: dict[str, UpstreamRow] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    """The ids that have a row now."""
    unknown: list[str] = field(default_factory=list)
    """Those that upstream does not know."""
    upstream: Exception | None = None
    redis: Exception | None = None
    """What either failed with; of Redis, an `ExpiredError`, too."""


def _fetch(filling: Filling, source: Source, ids: list[str], token: str | None) -> Flow[_Outcome]:
    """Fetches rows and stores them."""
    try:
        try:
            rows = yield from ask(filling, source, ids, token)
        except Exception as error:
            return _Outcome(upstream=error)
        try:
            unknown = [id for id in ids if id not in rows]
            if unknown:
                yield from filling.unknown.add(source.table.key, unknown)
            stored = yield from _store(source, rows, token)
            return _Outcome(rows, stored, unknown)
        except Exception as error:
            return _Outcome(rows, redis=error)
    finally:
        filling.room.release()
        if token is not None:
            yield from _give_up(source.table.key, token)


def _store(source: Source, rows: dict[str, UpstreamRow], token: str | None) -> Flow[list[str]]:
    """Stores rows, of which others' stand that are there already. Answers which ids have a row now."""
    key, expiry = source.table.key, source.table.expiry
    count = yield from _tables.mset(key, rows.items(), fields=source.fields, condition="NX", expiry=expiry, token=token)
    if count == len(rows):
        return list(rows)
    # By others; or by the first of two calls, whose reply was lost; or the claim was lost, and they are to be fetched again.
    there = yield from _tables.mget(key, list(rows), None, None)
    stored = [id for id, row in zip(rows, there) if row is not None]
    if len(stored) < len(rows) and isinstance(expiry, datetime) and unix_ms(expiry) <= (yield from _tables.server_ms(f"{key}?now")):
        raise ExpiredError
    return stored


def ask(filling: Filling, source: Source, ids: list[str], token: str | None) -> Flow[dict[str, UpstreamRow]]:
    """Fetches from upstream, within its time, and renews the claims meanwhile."""
    options = filling.options
    until = monotonic() + options.fetch_ms / 1000
    answer = yield from Start(source.ask(list(ids)))
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
    """A claim that is gone stays so: a row that was deleted meanwhile is not to come back. `CLAIM` would claim them anew; but of
    the limit, what is claimed already counts first, and then ids in order: here blanks, which stand for no row."""
    blanks = [f"?{token[:8]}.{at}" for at in range(len(ids))]
    # If it fails, the next one may succeed, and else the claims expire.
    with suppress(Exception):
        yield from _tables.claim(key, [*blanks, *ids], None, None, ttl_ms=claim_ms, token=token, limit=len(ids))


def _give_up(key: str, token: str) -> Flow[None]:
    """So that another pod can take them at once."""
    # If it fails, they expire.
    with suppress(Exception):
        yield from _tables.release(key, token)
