"""Has tables filled before users are on them, by one of all pods."""

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

# After how long the server's clock is looked at again: it may have been set.
_LOOK_MS = 60_000
# The pause after it could not be had, in seconds.
_PAUSE = 1.0

_FIELDS = ["warm"]


class Stop(Protocol):
    """Waits this many seconds, or until it is time to stop: then it is true. With asyncio it is awaited."""

    def wait(self, seconds: float) -> Any: ...


class KeepWarm:
    """Has each moment warmed before users are on it, by the server's clock, as the moments are: a pod whose own is ahead would ask
    upstream for a moment that is not over."""

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
        # Refuses a name that makes no key, and a timing without moments.
        self._marks(timing.next_moment(datetime.now(UTC)))
        # Filling has room of its own, as it is filled within it. Who fails leaves it to another pod.
        max_ms = max(timing.align_ms, filling.options.fetch_ms)
        options = replace(filling.options, max_ms=max_ms, fetch_ms=max_ms, tries=1)
        self._filling = replace(filling, options=options, room=room)
        self._fill = fill
        self._on_error = on_error

    def run(self, stop: Stop) -> Flow[None]:
        """Until it is to stop. What is under way then ends by itself."""
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
        """Begins what is due, and says in how many seconds something may be."""
        timing, lead_ms = self._timing, self._lead_ms
        now = yield from _tables.server_ms(f"{self._name}?warm")
        # The last moment whose turn has come.
        due = timing.next_moment(from_unix_ms(now + lead_ms - timing.align_ms))
        since = unix_ms(due.since)
        # One that is filled already, or again, has its mark.
        if now < since:
            yield from Start(self._warm(due))
        return min(since + timing.align_ms - lead_ms - now, _LOOK_MS) / 1000

    def _warm(self, moment: NextMoment) -> Flow[None]:
        source = Source(self._marks(moment), _FIELDS, lambda _ids: self._filled(moment))
        try:
            yield from Screen(self._filling, source, [self._name]).through_table()
        except Exception as error:
            self._tell(error)

    def _filled(self, moment: NextMoment) -> Flow[Mapping[str, Mapping[str, str]]]:
        """The mark of a moment, once it is filled: all pods claim it, and one has it."""
        outage = self._filling.outage
        skips = outage.skips if outage else 0
        yield from Run(lambda: self._fill(moment))
        # What goes on without Redis stores nothing.
        if outage and outage.skips > skips:
            raise RuntimeError("Redis was down")
        return {self._name: {"warm": "1"}}

    def _marks(self, moment: Moment) -> PriceTable:
        return self._timing.table(moment, f"{self._name}?warm")

    def _tell(self, error: Exception) -> None:
        """What the hook raises is lost, so that it ends nothing."""
        if self._on_error is not None:
            with suppress(Exception):
                self._on_error(error)
