"""Going on without Redis while it is down."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from ._outage import Breaker
from ._steps import Run, take

T = TypeVar("T")
U = TypeVar("U")


class Outage(Breaker):
    """Goes on without Redis while it is down: a circuit breaker. One for all that a service asks of the same Redis, for any number of
    threads.

    For `pause_ms` after Redis failed it isn't asked. Then one call tries, and the others go on without it until that succeeds.
    `on_change(is_on, error)` is called when an outage begins, with the error, and when it ends. How long a call may take is the
    driver's to say.
    """

    def run(self, redis: Callable[[], T], without: Callable[[], U]) -> T | U:
        """What `redis` answers; or, where Redis is unavailable or was so just now, what `without` does. All other errors fail the
        call."""
        return take(self.go_on(lambda: Run[T](redis), lambda: Run[U](without)), lambda step: cast(Run[T | U], step).function())
