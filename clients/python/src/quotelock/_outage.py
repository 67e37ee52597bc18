"""Goes on without Redis while it is down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TypeVar

from ._steps import Flow, Steps
from .errors import is_unavailable

T = TypeVar("T")
U = TypeVar("U")

# Called when an outage begins, with the error, and when it ends, without one.
OnChange = Callable[[bool, Exception | None], object]


class Breaker:
    """The circuit breaker of an `Outage`, blocking or with asyncio."""

    def __init__(self, *, pause_ms: int = 1000, on_change: OnChange | None = None) -> None:
        self._pause = pause_ms / 1000
        self._on_change = on_change
        self._lock = threading.Lock()
        # Redis is not called before this time.
        self._until: float | None = None
        self.skips = 0
        """How many calls went on without Redis."""

    @property
    def is_on(self) -> bool:
        """Whether the last call to Redis failed."""
        return self._until is not None

    def go_on(self, redis: Callable[[], Steps[T]], without: Callable[[], Steps[U]]) -> Flow[T | U]:
        """Returns the result of `redis`, or of `without` if Redis is unavailable or was so within the pause. All other errors
        are raised."""
        if not self._is_paused():
            try:
                answer = yield from redis()
            except Exception as error:
                if not is_unavailable(error):
                    self._end()
                    raise
                self._begin(error)
            else:
                self._end()
                return answer
        with self._lock:
            self.skips += 1
        return (yield from without())

    def _is_paused(self) -> bool:
        """After each pause one call goes to Redis, and starts the next pause."""
        with self._lock:
            now = monotonic()
            if self._until is None or now < self._until:
                return self._until is not None
            self._until = now + self._pause
            return False

    def _begin(self, error: Exception) -> None:
        with self._lock:
            is_new = self._until is None
            self._until = monotonic() + self._pause
        if is_new:
            self._tell(True, error)

    def _end(self) -> None:
        with self._lock:
            is_new = self._until is not None
            self._until = None
        if is_new:
            self._tell(False, None)

    def _tell(self, is_on: bool, error: Exception | None) -> None:
        """Errors raised by the hook are ignored, so that they don't fail a call."""
        if self._on_change is not None:
            with suppress(Exception):
                self._on_change(is_on, error)
