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
    """A circuit breaker: goes on without Redis while it is down. Use one for all calls of a service to the same Redis.

    After Redis failed, it is not called for `pause_ms`. Then one call tries it, and the others go on without it until that
    succeeds. `on_change(is_on, error)` is called when an outage begins, with the error, and when it ends. The driver, or an
    `asyncio.timeout` within `redis`, decides how long a call may take.
    """

    async def run(self, redis: Callable[[], Awaitable[T]], without: Callable[[], Awaitable[U] | U]) -> T | U:
        """Returns the result of `redis`, or of `without` (awaitable or not) if Redis is unavailable or was so within the
        pause. All other errors are raised."""
        return await take_async(self.go_on(lambda: Run[T](redis), lambda: Run[U](without)), _run)


async def _run(step: Step) -> Any:
    answer = cast(Run[Any], step).function()
    return await answer if inspect.isawaitable(answer) else answer
