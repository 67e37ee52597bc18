"""Round trips shared by concurrent calls, each exact for all of them.

A call gets the reply to a request sent after the call was made, never to one already under way: so the reply always includes a
write acknowledged before the call. For each key at most one request is under way, and one waits for it to end, shared by all
calls made meanwhile. If a request fails, the calls that share it fail; the waiting request is sent anyway.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class _Line(Generic[T]):
    """The calls for one key."""

    def __init__(self) -> None:
        self.calls = 0
        self.turn = threading.Lock()
        self.waiting: Future[T] | None = None


class RoundTrips(Generic[T]):
    """For calls from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[str, _Line[T]] = {}

    def share(self, key: str, send: Callable[[], T]) -> T:
        """The answer to a request that is sent after this call."""
        with self._in_line(key) as line:
            with self._lock:
                trip = line.waiting
                if trip is None:
                    mine = line.waiting = Future[T]()
            if trip is not None:
                return trip.result()
            try:
                with line.turn:
                    self._begin(line, mine)
                    mine.set_result(send())
            except BaseException as error:
                self._begin(line, mine)
                mine.set_exception(error)
            return mine.result()

    def _begin(self, line: _Line[T], trip: Future[T]) -> None:
        """From now on, calls can no longer share it."""
        with self._lock:
            if line.waiting is trip:
                line.waiting = None

    @contextmanager
    def _in_line(self, key: str) -> Iterator[_Line[T]]:
        with self._lock:
            line = self._lines.setdefault(key, _Line())
            line.calls += 1
        try:
            yield line
        finally:
            with self._lock:
                line.calls -= 1
                if line.calls == 0:
                    del self._lines[key]


class _AsyncLine(Generic[T]):
    """The calls for one key."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.waiting: asyncio.Task[T] | None = None
        self.trips = 0


class AsyncRoundTrips(Generic[T]):
    """For calls in one event loop."""

    def __init__(self) -> None:
        self._lines: dict[str, _AsyncLine[T]] = {}

    async def share(self, key: str, send: Callable[[], Awaitable[T]]) -> T:
        """The reply to a request sent after this call. Cancelling one caller does not cancel it for others."""
        line = self._lines.setdefault(key, _AsyncLine())
        if line.waiting is None:
            line.trips += 1
            line.waiting = asyncio.create_task(self._trip(key, line, send))
            line.waiting.add_done_callback(_heed)
        return await asyncio.shield(line.waiting)

    async def _trip(self, key: str, line: _AsyncLine[T], send: Callable[[], Awaitable[T]]) -> T:
        try:
            async with line.turn:
                line.waiting = None
                return await send()
        finally:
            line.trips -= 1
            if line.trips == 0:
                del self._lines[key]


def _heed(trip: asyncio.Task[T]) -> None:
    """Nobody may be left to receive its error."""
    if not trip.cancelled():
        trip.exception()
