"""Going on without Redis while it is down."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from ._outage import Breaker
from ._steps import Run, take

T = TypeVar("T")
U = TypeVar("U")


class Outage(Breaker):
    """A circuit breaker: goes on without Redis while it is down. Use one for all calls of a service to the same Redis.
    Thread-safe.

    After Redis failed, it is not called for `pause_ms`. Then one call tries it, and the others go on without it until that
    succeeds. `on_change(is_on, error)` is called when an outage begins, with the error, and when it ends. The driver decides how
    long a call may take.
    """

    def run(self, redis: Callable[[], T], without: Callable[[], U]) -> T | U:
        """Returns the result of `redis`, or of `without` if Redis is unavailable or was so within the pause. All other errors
        are raised."""
        return take(self.go_on(lambda: Run[T](redis), lambda: Run[U](without)), lambda step: cast(Run[T | U], step).function())
