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
    """Price tables that fill themselves: one call reads the rows of a screen, and one pod fetches the missing ones from upstream
    while the others wait. Use one for each upstream service, in one event loop.
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
        """The rows of these ids. Of all pods, one call fetches a missing row from upstream and stores it; all of them return the
        stored row, so they agree.

        `fetch` fetches a list of ids from upstream and returns rows by id, without the ids that upstream does not know. `fields`
        are the fields to read and write: all fields of the table, the same in each call; if omitted, whatever each row has. A
        `copy` with the same fields is read instead of the table.

        Raises a `FillError`, which has the rows there are, if upstream fails or the time is up. Raises Redis's error if that
        fails, unless there is an `outage`.
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
        """Whether a vehicle can be reserved at the price its user saw. Pass as `lock` the lock from `get_by_id`, which never
        creates one; `table_of` names its table. A missing row is fetched first, as by `get_or_fill`; if that fails, raises a
        `FillError`.
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
        """Fills the tables of each `queryTime` before new locks use it, so that its first screens don't wait. Of all pods that
        call this, one calls `fill`, or another one if that dies or fails; `name` says what it fills. Requires a lag; times are
        those of the server's clock.

        Fills them `lead_ms` before (default: half of the lag); upstream has the rest of the lag to commit the prices for that
        `queryTime`. `fill` may take until the next `queryTime` is due, or `fetch_ms` if that is longer, and runs in a task of its
        own. `on_error` is called with the error if filling fails, or if the server's clock can't be read any more. The screens
        then fill the missing rows.
        """
        stop = _Stop()
        self._start(KeepWarm(self._filling, _Room(1), timing, name, fill, lead_ms, on_error).run(stop))
        return stop


class _Room:
    """Limits how many upstream calls there are at once."""

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
    """Ends the wait for the next `queryTime`."""

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
