"""Price tables that fill themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

from ._drivers import Driver
from ._faces import Face
from ._fill import Filling, Source
from ._keep_warm import KeepWarm
from ._reserve import reserve
from ._screen import get_or_fill
from ._unknown_ids import UnknownIds
from ._words import Word, words
from .copies import PriceTableCopy
from .filling import Fetch, Filled, FillOptions, Warming
from .outage import Outage
from .reserving import Reserved, Seen
from .timing import Moment, NextMoment, PriceTable, Timing
from .types import FieldsRow, Row

L = TypeVar("L", bound=Moment)
R = TypeVar("R", bound=Mapping[str, Any])


class PriceTables(Face):
    """Price tables that fill themselves: one call reads the rows of a screen, and has those that are missing fetched from upstream by
    one pod while the others wait. One for each upstream service, for any number of threads.
    """

    def __init__(self, driver: Driver, options: FillOptions = FillOptions(), *, outage: Outage | None = None) -> None:
        super().__init__(driver)
        unknown = UnknownIds(options.unknown_ms)
        self._filling = Filling(options, _Room(options.parallel), unknown, self._longest_wait_ms, outage)

    @overload
    def get_or_fill(self, table: PriceTable, ids: Sequence[Word], fetch: Fetch) -> Filled[Row]: ...
    @overload
    def get_or_fill(self, table: PriceTable, ids: Sequence[Word], fetch: Fetch, *, fields: Sequence[str]) -> Filled[FieldsRow]: ...
    @overload
    def get_or_fill(
        self,
        table: PriceTable,
        ids: Sequence[Word],
        fetch: Fetch,
        *,
        fields: Sequence[str] | None = None,
        copy: PriceTableCopy[R],
    ) -> Filled[R]: ...
    def get_or_fill(
        self,
        table: PriceTable,
        ids: Sequence[Word],
        fetch: Fetch,
        *,
        fields: Sequence[str] | None = None,
        copy: PriceTableCopy[Any] | None = None,
    ) -> Filled[Any]:
        """The rows of these ids. What is missing is fetched from upstream and stored, by one call of all pods, and all are answered
        what was stored: so they agree.

        `fetch` fetches a list of ids from upstream, in a thread of its own, and answers rows by id; ids that it leaves out are ids it does
        not know. `fields` are read and written: all that the table has, the same in each call; without it what each row has. A `copy`,
        of the same fields, is read instead of the table.

        Raises a `FillError`, which has the rows there are, where upstream fails or time is up; and what Redis fails with,
        unless there is an `outage`.
        """
        asked = words("get_or_fill", ids)
        return self._take(get_or_fill(self._filling, Source.of(table, fields, fetch, copy), asked))

    def reserve(
        self,
        lock: L | None,
        table_of: Callable[[L], PriceTable],
        id: Word,
        seen: Seen,
        fetch: Fetch,
        *,
        fields: Sequence[str] | None = None,
    ) -> Reserved:
        """Whether a vehicle can be reserved at what its user saw. `lock` is that of `get_by_id`, which never starts one, and `table_of`
        names its table. A row that is missing is fetched first, as `get_or_fill` does it: with a `FillError` where that fails.
        """
        return self._take(reserve(self._filling, lock, table_of, id, seen, fetch, fields))

    def keep_warm(
        self,
        timing: Timing,
        name: str,
        fill: Callable[[NextMoment], object],
        *,
        lead_ms: int | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> Warming:
        """Fills tables of each moment before users are on it, so that the first screens of a moment wait for nobody. Of all pods that
        call this one calls `fill`, and another one if it dies or fails; `name` says what it fills. It takes a lag, and the moments and
        the time are the server's.

        It does so `lead_ms` before, half of the lag: upstream has what is left of the lag to commit what the moment is to see. `fill`
        may take until the next moment's turn, or `fetch_ms` if that is longer, and runs in a daemon thread of its own. `on_error` is
        called with the error if a filling fails, or if the server's clock can't be read any more. The screens fill what is missing then.
        """
        stop = _Stop()
        self._start(KeepWarm(self._filling, _Room(1), timing, name, fill, lead_ms, on_error).run(stop))
        return stop


class _Room:
    """For this many upstream calls at once."""

    def __init__(self, parallel: int) -> None:
        self._free = threading.Semaphore(parallel)

    def acquire(self, seconds: float) -> bool:
        return self._free.acquire(timeout=max(seconds, 0))

    def release(self) -> None:
        self._free.release()


class _Stop:
    """Ends the wait for the next moment."""

    def __init__(self) -> None:
        self._is_told = threading.Event()

    def stop(self) -> None:
        self._is_told.set()

    def wait(self, seconds: float) -> bool:
        return self._is_told.wait(seconds)
