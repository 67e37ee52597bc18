"""Going on without Redis while it is down, with asyncio."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from .._outage import Breaker
from .._steps import Run, Step, take_async

T = TypeVar("T")
U = TypeVar("U")


class Outage(Breaker):
    """Goes on without Redis while it is down: a circuit breaker. One for all that a service asks of the same Redis.

    For `pause_ms` after Redis failed it isn't asked. Then one call tries, and the others go on without it until that succeeds.
    `on_change(is_on, error)` is called when an outage begins, with the error, and when it ends. How long a call may take is the
    driver's to say, or that of an `asyncio.timeout` within `redis`.
    """

    async def run(self, redis: Callable[[], Awaitable[T]], without: Callable[[], Awaitable[U] | U]) -> T | U:
        """What `redis` comes to; or, where Redis is unavailable or was so just now, what `without` does, awaited or not. All other
        errors fail the call."""
        return await take_async(self.go_on(lambda: Run[T](redis), lambda: Run[U](without)), _run)


async def _run(step: Step) -> Any:
    answer = cast(Run[Any], step).function()
    return await answer if inspect.isawaitable(answer) else answer
