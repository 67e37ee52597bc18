"""Price tables that fill themselves, with asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar, overload

from .._drivers import AsyncDriver
from .._faces import AsyncFace
from .._fill import Filling, Source
from .._keep_warm import KeepWarm
from .._reserve import reserve
from .._screen import get_or_fill
from .._unknown_ids import UnknownIds
from .._words import Word, words
from ..filling import AsyncFetch, Filled, FillOptions, Warming
from ..reserving import Reserved, Seen
from ..timing import Moment, NextMoment, PriceTable, Timing
from ..types import FieldsRow, Row
from .copies import PriceTableCopy
from .outage import Outage

L = TypeVar("L", bound=Moment)
R = TypeVar("R", bound=Mapping[str, Any])


class PriceTables(AsyncFace):
    """Price tables that fill themselves: one call reads the rows of a screen, and has those that are missing fetched from upstream by
    one pod while the others wait. One for each upstream service, for one event loop.
    """

    def __init__(self, driver: AsyncDriver, options: FillOptions = FillOptions(), *, outage: Outage | None = None) -> None:
        super().__init__(driver)
        unknown = UnknownIds(options.unknown_ms)
        self._filling = Filling(options, _Room(options.parallel), unknown, self._longest_wait_ms, outage)

    @overload
    async def get_or_fill(self, table: PriceTable, ids: Sequence[Word], fetch: AsyncFetch) -> Filled[Row]: ...
    @overload
    async def get_or_fill(
        self, table: PriceTable, ids: Sequence[Word], fetch: AsyncFetch, *, fields: Sequence[str]
    ) -> Filled[FieldsRow]: ...
    @overload
    async def get_or_fill(
        self,
        table: PriceTable,
        ids: Sequence[Word],
        fetch: AsyncFetch,
        *,
        fields: Sequence[str] | None = None,
        copy: PriceTableCopy[R],
    ) -> Filled[R]: ...
    async def get_or_fill(
        self,
        table: PriceTable,
        ids: Sequence[Word],
        fetch: AsyncFetch,
        *,
        fields: Sequence[str] | None = None,
        copy: PriceTableCopy[Any] | None = None,
    ) -> Filled[Any]:
        """The rows of these ids. What is missing is fetched from upstream and stored, by one call of all pods, and all are answered
        what was stored: so they agree.

        `fetch` fetches a list of ids from upstream and answers rows by id; ids that it leaves out are ids it does
        not know. `fields` are read and written: all that the table has, the same in each call; without it what each row has. A `copy`,
        of the same fields, is read instead of the table.

        Raises a `FillError`, which has the rows there are, where upstream fails or time is up; and what Redis fails with,
        unless there is an `outage`.
        """
        asked = words("get_or_fill", ids)
        return await self._take(get_or_fill(self._filling, Source.of(table, fields, fetch, copy), asked))

    async def reserve(
        self,
        lock: L | None,
        table_of: Callable[[L], PriceTable],
        id: Word,
        seen: Seen,
        fetch: AsyncFetch,
        *,
        fields: Sequence[str] | None = None,
    ) -> Reserved:
        """Whether a vehicle can be reserved at what its user saw. `lock` is that of `get_by_id`, which never starts one, and `table_of`
        names its table. A row that is missing is fetched first, as `get_or_fill` does it: with a `FillError` where that fails.
        """
        return await self._take(reserve(self._filling, lock, table_of, id, seen, fetch, fields))

    def keep_warm(
        self,
        timing: Timing,
        name: str,
        fill: Callable[[NextMoment], Awaitable[object]],
        *,
        lead_ms: int | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> Warming:
        """Fills tables of each moment before users are on it, so that the first screens of a moment wait for nobody. Of all pods that
        call this one calls `fill`, and another one if it dies or fails; `name` says what it fills. It takes a lag, and the moments and
        the time are the server's.

        It does so `lead_ms` before, half of the lag: upstream has what is left of the lag to commit what the moment is to see. `fill`
        may take until the next moment's turn, or `fetch_ms` if that is longer, and runs in a task of its own. `on_error` is
        called with the error if a filling fails, or if the server's clock can't be read any more. The screens fill what is missing then.
        """
        stop = _Stop()
        self._start(KeepWarm(self._filling, _Room(1), timing, name, fill, lead_ms, on_error).run(stop))
        return stop


class _Room:
    """For this many upstream calls at once."""

    def __init__(self, parallel: int) -> None:
        self._free = asyncio.Semaphore(parallel)

    async def acquire(self, seconds: float) -> bool:
        if self._free.locked() and seconds <= 0:
            return False
        try:
            return await asyncio.wait_for(self._free.acquire(), max(seconds, 0.001))
        except TimeoutError:
            return False

    def release(self) -> None:
        self._free.release()


class _Stop:
    """Ends the wait for the next moment."""

    def __init__(self) -> None:
        self._is_told = asyncio.Event()

    def stop(self) -> None:
        self._is_told.set()

    async def wait(self, seconds: float) -> bool:
        # A driver may have lost that the task was cancelled, as redis-py does at times while it connects.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_told.wait(), seconds)
        return self._is_told.is_set()
