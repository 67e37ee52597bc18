"""Fills tables. Of all processes, one fetches each row: it claims the row, fetches it from upstream and stores it under the
claim, while the others wait."""

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
from ._time import seconds, unix_ms
from ._under_way import UnderWay
from ._unknown_ids import UnknownIds
from ._words import Value, Word, word
from .filling import FillOptions
from .timing import PriceTable

T = TypeVar("T")

# The longest wait for others, before the rows are claimed again.
_WAIT_MS = 1000
# The pause after the first failure; each further failure doubles it.
_FIRST_PAUSE, _MAX_PAUSE = 0.05, 1.0
# A field that no row has: the rows are read afterwards anyway, so the reply need not contain them.
_NO_FIELDS = ["?"]

# A row as upstream returns it.
UpstreamRow = Mapping[str, Value]


class Copy(Protocol):
    """Read instead of the table. With asyncio it is awaited."""

    def rows(self, ids: Sequence[Word]) -> Any: ...


class Room(Protocol):
    """Limits how many upstream calls there are at once. With asyncio, `acquire` is awaited."""

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
        """Runs without Redis while it is down, if there is an `outage`."""
        return redis() if self.outage is None else self.outage.go_on(redis, without)


@dataclass(frozen=True)
class Source:
    """A table to fill, and the source of its rows."""

    table: PriceTable
    fields: Sequence[str] | None
    ask: Callable[[list[str]], Steps[Any]]
    copy: Copy | None = None

    @classmethod
    def of(cls, table: PriceTable, fields: Sequence[str] | None, fetch: Callable[[list[str]], Any], copy: Copy | None = None) -> Source:
        """A source that fetches from upstream with the caller's function."""
        return cls(table, fields, lambda ids: Run(lambda: fetch(ids)), copy)

    def read(self, ids: list[str]) -> Steps[list[Any]]:
        """The rows that the table has."""
        copy = self.copy
        return _tables.mget(self.table.key, ids, self.fields, None) if copy is None else Run(lambda: copy.rows(ids))

    def known(self, answer: Any, ids: Iterable[str]) -> dict[str, UpstreamRow]:
        """The rows of these ids that upstream knows. A row without any value can't be stored, so it counts as missing."""
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
    """The rows of this table have already expired by the server's clock."""


class Fill:
    """One call that fills the missing rows of a table."""

    def __init__(self, filling: Filling, source: Source, ids: Iterable[str], until: float) -> None:
        self._filling = filling
        self._source = source
        self._until = until
        self._tries = dict.fromkeys(ids, 0)
        self._under_way: dict[Handle, list[str]] = {}
        self._failures = 0
        self.settled: dict[str, Literal["filled", "waited", "unknown", "failed"]] = {}
        self.fetched: dict[str, UpstreamRow] = {}
        """The rows that upstream returned, stored or not."""
        self.error: Exception | None = None
        """Upstream's last error."""

    def count(self, settled: str) -> int:
        return sum(1 for one in self.settled.values() if one == settled)

    def run(self) -> Flow[None]:
        """Runs until all rows are settled or the time is up. Work still under way then continues, for the next screens. Raises
        Redis's error if Redis fails."""
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
        """Claims rows and has them fetched, as long as there is room. Returns the ids that others are fetching."""
        room = self._filling.room
        pending: list[str] = []
        while len(self._open()) > len(pending):
            # A call that has work under way need not wait for room.
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
            # Ids that nobody is fetching are fetched without a claim: the server has no room for more claims.
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
            # Jitter, so that pods that fail at the same time don't retry at the same time.
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
    """The outcome of fetching rows and storing them."""

    fetched: dict[str, UpstreamRow] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    """The ids that have a row now."""
    unknown: list[str] = field(default_factory=list)
    """The ids that upstream does not know."""
    upstream: Exception | None = None
    redis: Exception | None = None
    """The error of either; for Redis also an `ExpiredError`."""


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
    """Stores rows; existing rows of others stay. Returns the ids that have a row now."""
    key, expiry = source.table.key, source.table.expiry
    count = yield from _tables.mset(key, rows.items(), fields=source.fields, condition="NX", expiry=expiry, token=token)
    if count == len(rows):
        return list(rows)
    # Others stored them; or the first of two calls did, whose reply was lost; or the claim was lost, and they must be fetched
    # again.
    there = yield from _tables.mget(key, list(rows), None, None)
    stored = [id for id, row in zip(rows, there) if row is not None]
    if len(stored) < len(rows) and isinstance(expiry, datetime) and unix_ms(expiry) <= (yield from _tables.server_ms(f"{key}?now")):
        raise ExpiredError
    return stored


def ask(filling: Filling, source: Source, ids: list[str], token: str | None) -> Flow[dict[str, UpstreamRow]]:
    """Fetches from upstream within the time limit, and renews the claims meanwhile."""
    options = filling.options
    until = monotonic() + seconds(options.fetch_ms)
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
    """A claim that has ended is not made again: a row deleted meanwhile must not come back. `CLAIM` would claim it anew; but
    the limit counts rows already claimed first, then ids in order: here placeholders, which stand for no row."""
    blanks = [f"?{token[:8]}.{at}" for at in range(len(ids))]
    # If it fails, the next one may succeed; otherwise the claims expire.
    with suppress(Exception):
        yield from _tables.claim(key, [*blanks, *ids], None, None, ttl_ms=claim_ms, token=token, limit=len(ids))


def _give_up(key: str, token: str) -> Flow[None]:
    """So that another pod can take them at once."""
    # If it fails, they expire.
    with suppress(Exception):
        yield from _tables.release(key, token)
