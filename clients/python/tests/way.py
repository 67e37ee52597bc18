"""The way to the server, which a test can change, through either face."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from unittest import TestCase

import redis
import redis.asyncio

import quotelock
import quotelock.asyncio

from .harness import URL, Classes


class Way(Classes):
    def __init__(self, client: Any, is_async: bool) -> None:
        super().__init__(self._send_async if is_async else self._send, is_async)
        self._client = client
        self.is_cut: Callable[[str], bool] = lambda _command: False
        """Whether a command is lost."""
        self.reply: Callable[[str, Any], Any] = lambda _command, reply: reply
        """What is made of a command's reply."""
        self.asked: list[str] = []
        """The commands that were sent, lost or not."""

    def outage(self, **options: Any) -> Any:
        return (quotelock.asyncio if self.is_async else quotelock).Outage(**options)

    def _check(self, command: str) -> None:
        self.asked.append(command)
        if self.is_cut(command):
            raise redis.exceptions.ConnectionError("cut off")

    def _send(self, words: list[str], _key: str, _read_only: bool) -> Any:
        self._check(words[0])
        return self.reply(words[0], self._client.execute_command(*words))

    async def _send_async(self, words: list[str], _key: str, _read_only: bool) -> Any:
        self._check(words[0])
        return self.reply(words[0], await self._client.execute_command(*words))


def either_way(test: Callable[[Any, Way], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    """The same test with threads and with asyncio."""

    async def run(self: TestCase) -> None:
        with self.subTest(face="threads"), redis.Redis.from_url(URL) as client:
            await test(self, Way(client, False))
        with self.subTest(face="asyncio"):
            async with redis.asyncio.Redis.from_url(URL) as client:
                await test(self, Way(client, True))

    return run


def bare(made: Any) -> Any:
    """What was made, whose calls answer as its face does."""
    return getattr(made, "_of", made)


async def at_once(way: Way, calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Calls made at the same time, each in a thread of its own or as a task."""
    if way.is_async:
        return list(await asyncio.gather(*(call() for call in calls)))
    return list(await asyncio.gather(*(asyncio.to_thread(call) for call in calls)))


async def given(answer: Any) -> Any:
    """What a call answers, at once or awaited."""
    return await answer if inspect.isawaitable(answer) else answer
