"""The two forms of a method: blocking, and awaited."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import functools
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from ._drivers import AsyncDriver, Driver, answered, longest_wait_ms, sender
from ._steps import Call, Run, Sleep, Start, Step, Steps, take, take_async

P = ParamSpec("P")
T = TypeVar("T")


class Face:
    """Runs a method's steps, and returns their result."""

    def __init__(self, driver: Driver) -> None:
        self._send = sender(driver)
        self._longest_wait_ms = longest_wait_ms(driver)

    def _take(self, steps: Steps[T]) -> T:
        return take(steps, self._step)

    def _step(self, step: Step) -> Any:
        if isinstance(step, Call):
            return self._ask(step)
        if isinstance(step, Run):
            return step.function()
        if isinstance(step, Start):
            return self._start(step.work)
        if isinstance(step, Sleep):
            return time.sleep(step.seconds)
        return concurrent.futures.wait(cast(Any, step.handles), step.seconds, concurrent.futures.FIRST_COMPLETED)

    def _ask(self, call: Call[T]) -> T:
        try:
            reply = self._send(call)
        except Exception as error:
            told = answered(call, error)
            if told is error:
                raise
            raise told from error
        if inspect.isawaitable(reply):
            _close(reply)
            raise TypeError("this driver is one for asyncio: import from quotelock.asyncio")
        return call.read(reply)

    def _start(self, work: Steps[T]) -> concurrent.futures.Future[T]:
        future = concurrent.futures.Future[T]()

        def run() -> None:
            try:
                future.set_result(self._take(work))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=contextvars.copy_context().run, args=[run], daemon=True).start()
        return future


class AsyncFace:
    """Runs a method's steps while others run."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._send = sender(driver)
        self._longest_wait_ms = longest_wait_ms(driver)
        # The event loop itself keeps no reference.
        self._tasks: set[asyncio.Task[Any]] = set()

    async def _take(self, steps: Steps[T]) -> T:
        return await take_async(steps, self._step)

    async def _step(self, step: Step) -> Any:
        if isinstance(step, Call):
            return await self._ask(step)
        if isinstance(step, Run):
            return await step.function()
        if isinstance(step, Start):
            return self._start(step.work)
        if isinstance(step, Sleep):
            return await asyncio.sleep(step.seconds)
        return await asyncio.wait(cast(Any, step.handles), timeout=step.seconds, return_when=asyncio.FIRST_COMPLETED)

    async def _ask(self, call: Call[T]) -> T:
        try:
            reply = self._send(call)
            if not inspect.isawaitable(reply):
                raise TypeError("this driver is not one for asyncio: import from quotelock")
            reply = await reply
        except Exception as error:
            told = answered(call, error)
            if told is error:
                raise
            raise told from error
        return call.read(reply)

    def _start(self, work: Steps[T]) -> asyncio.Task[T]:
        task = asyncio.create_task(self._take(work))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # Nobody may be left to receive its error.
        if not task.cancelled():
            task.exception()


def answers(method: Callable[P, Steps[T]]) -> Callable[Concatenate[Face, P], T]:
    """A method that returns the result of a function's steps."""

    @functools.wraps(method)
    def take_steps(self: Face, /, *args: P.args, **options: P.kwargs) -> T:
        return self._take(method(*args, **options))

    return take_steps


def awaits(method: Callable[P, Steps[T]]) -> Callable[Concatenate[AsyncFace, P], Coroutine[Any, Any, T]]:
    """The same, to be awaited."""

    @functools.wraps(method)
    async def take_steps(self: AsyncFace, /, *args: P.args, **options: P.kwargs) -> T:
        return await self._take(method(*args, **options))

    return take_steps


def _close(reply: Awaitable[Any]) -> None:
    """Avoids a warning about a coroutine that was never awaited."""
    if inspect.iscoroutine(reply):
        reply.close()
