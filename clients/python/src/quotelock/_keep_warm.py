"""Has one of all pods fill tables before locks use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from . import _tables
from ._fill import Filling, Room, Source
from ._screen import Screen
from ._steps import Flow, Run, Start
from ._time import from_unix_ms, unix_ms
from .timing import Moment, NextMoment, PriceTable, Timing

# How often the server's clock is read again: it may have been set.
_LOOK_MS = 60_000
# The pause after it could not be read, in seconds.
_PAUSE = 1.0

_FIELDS = ["warm"]


class Stop(Protocol):
    """Waits this many seconds, or until told to stop: then returns True. With asyncio it is awaited."""

    def wait(self, seconds: float) -> Any: ...


class KeepWarm:
    """Warms each `queryTime` before new locks use it. It uses the server's clock, as locks do: a pod with a fast clock would
    ask upstream for a `queryTime` still in the future."""

    def __init__(
        self,
        filling: Filling,
        room: Room,
        timing: Timing,
        name: str,
        fill: Callable[[NextMoment], Any],
        lead_ms: int | None,
        on_error: Callable[[Exception], object] | None,
    ) -> None:
        self._lead_ms = (timing.lag_ms + 1) // 2 if lead_ms is None else lead_ms
        if not 0 < self._lead_ms <= timing.lag_ms:
            raise ValueError(f"lead_ms takes a time above 0 up to lag_ms, {timing.lag_ms} ms, not {self._lead_ms}")
        self._timing = timing
        self._name = name
        # Raises for a name that makes no key, and for a timing without `align_ms`.
        self._marks(timing.next_moment(datetime.now(UTC)))
        # Has room of its own, as `fill` itself fills tables. A pod that fails leaves it to another one.
        max_ms = max(timing.align_ms, filling.options.fetch_ms)
        options = replace(filling.options, max_ms=max_ms, fetch_ms=max_ms, tries=1)
        self._filling = replace(filling, options=options, room=room)
        self._fill = fill
        self._on_error = on_error
        # From when on locks use the last `queryTime` that was begun.
        self._begun = 0

    def run(self, stop: Stop) -> Flow[None]:
        """Runs until told to stop. A filling under way runs to its end."""
        wait, has_clock = 0.0, True
        while not (yield from Run[bool](partial(stop.wait, wait))):
            try:
                wait = yield from self._begin()
                has_clock = True
            except Exception as error:
                if has_clock:
                    self._tell(error)
                wait, has_clock = _PAUSE, False

    def _begin(self) -> Flow[float]:
        """Starts what is due, and returns the seconds until the next one may be."""
        timing, lead_ms = self._timing, self._lead_ms
        now = yield from _tables.server_ms(f"{self._name}?warm")
        # From when on locks use the first `queryTime` that is not due yet.
        end = unix_ms(timing.next_moment(from_unix_ms(now + lead_ms)).since)
        # The server's clock was set back.
        if self._begun >= end:
            self._begun = 0
        moment = timing.next_moment(from_unix_ms(max(now, self._begun)))
        while (since := unix_ms(moment.since)) < end:
            self._begun = since
            yield from Start(self._warm(moment))
            moment = timing.next_moment(moment.since)
        return min(end - lead_ms - now, _LOOK_MS) / 1000

    def _warm(self, moment: NextMoment) -> Flow[None]:
        source = Source(self._marks(moment), _FIELDS, lambda _ids: self._filled(moment))
        try:
            yield from Screen(self._filling, source, [self._name]).through_table()
        except Exception as error:
            self._tell(error)

    def _filled(self, moment: NextMoment) -> Flow[Mapping[str, Mapping[str, str]]]:
        """The mark of a `queryTime` that is filled: all pods try to claim it, and one gets it."""
        outage = self._filling.outage
        skips = outage.skips if outage else 0
        yield from Run(lambda: self._fill(moment))
        # Without Redis nothing would be stored.
        if outage and outage.skips > skips:
            raise RuntimeError("Redis was down")
        return {self._name: {"warm": "1"}}

    def _marks(self, moment: Moment) -> PriceTable:
        return self._timing.table(moment, f"{self._name}?warm")

    def _tell(self, error: Exception) -> None:
        """Errors raised by the hook are ignored, so that they end nothing."""
        if self._on_error is not None:
            with suppress(Exception):
                self._on_error(error)
