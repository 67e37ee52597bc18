"""What the tests stand on: the server at REDIS_URL, through every driver, with keys of each test's own."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import unittest
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import redis
import redis.asyncio
import valkey
import valkey.asyncio

import quotelock
import quotelock.asyncio

# It tells of tests that hold up their loop.
logging.getLogger("asyncio").setLevel(logging.ERROR)

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


class Classes:
    """The classes of one face over one driver. All answers are awaited, so that each test is written once."""

    def __init__(self, driver: Any, is_async: bool) -> None:
        self.driver = driver
        self.is_async = is_async

    def __getattr__(self, name: str) -> Callable[..., Any]:
        kind = getattr(quotelock.asyncio if self.is_async else quotelock, name)

        def make(*args: Any, **options: Any) -> Any:
            made = kind(self.driver, *args, **options)
            return made if self.is_async else Awaited(made)

        return make

    def fetch(self, fetch: Callable[[list[str]], Any]) -> Any:
        """A way to fetch from upstream, as this face takes it."""

        async def awaited(ids: list[str]) -> Any:
            return fetch(ids)

        return awaited if self.is_async else fetch


class Awaited:
    """Answers at once, as if one had to wait for it."""

    def __init__(self, of: Any) -> None:
        self._of = of

    def __len__(self) -> int:
        return len(self._of)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            if name == "of":
                return Awaited(found(*args))
            unwrapped = {name: getattr(value, "_of", value) for name, value in options.items()}
            return _there(lambda: found(*args, **unwrapped)) if name != "scan" else _each(found(*args, **options))

        return call


async def _there(call: Callable[[], Any]) -> Any:
    return call()


async def _each(steps: Iterator[Any]) -> AsyncIterator[Any]:
    for step in steps:
        yield step


def function_over(client: redis.Redis) -> quotelock.Send:
    return lambda words, _key, _read_only: client.execute_command(*words)


# How to open each driver.
DRIVERS: dict[str, Callable[[], Any]] = {
    "redis-py": lambda: redis.Redis.from_url(URL, protocol=2),
    "redis-py, decoding, RESP3": lambda: redis.Redis.from_url(URL, protocol=3, decode_responses=True),
    "redis-py, asyncio": lambda: redis.asyncio.Redis.from_url(URL, protocol=2, decode_responses=True),
    "redis-py, asyncio, RESP3": lambda: redis.asyncio.Redis.from_url(URL, protocol=3),
    "valkey-py": lambda: valkey.Valkey.from_url(URL),
    "valkey-py, asyncio, RESP3": lambda: valkey.asyncio.Valkey.from_url(URL, protocol=3),
    "a function": lambda: function_over(redis.Redis.from_url(URL)),
}


@asynccontextmanager
async def opened(name: str) -> AsyncIterator[Classes]:
    driver = DRIVERS[name]()
    try:
        yield Classes(driver, "asyncio" in name)
    finally:
        close = getattr(driver, "aclose", None) or getattr(driver, "close", None)
        ended = close() if close else None
        if inspect.isawaitable(ended):
            await ended


class ServerTest(unittest.IsolatedAsyncioTestCase):
    """Tests on the server."""

    def setUp(self) -> None:
        self.redis = redis.Redis.from_url(URL, decode_responses=True)
        self.addCleanup(self.redis.close)


def through_each_driver(test: Callable[[Any, Classes], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    """The same test through each driver."""

    async def run(self: unittest.TestCase) -> None:
        for name in DRIVERS:
            with self.subTest(driver=name):
                async with opened(name) as classes:
                    await test(self, classes)

    return run


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it is not so after ten seconds")


def key(name: str = "key") -> str:
    """A key that no other test has."""
    return f"{name}:{uuid.uuid4()}"
