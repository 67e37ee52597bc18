"""A server that answers VEHPRICE.CHANGES when and what a test says."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from unittest import TestCase


class FeignedServer:
    def __init__(self) -> None:
        self.asked = 0
        self.requests: list[tuple[list[str], asyncio.Future[str]]] = []
        self._revision = 0

    async def send(self, words: list[str], _key: str, read_only: bool) -> Any:
        assert not read_only, "revisions are the primary's"
        self.asked += 1
        reply = asyncio.get_running_loop().create_future()
        self.requests.append((words, reply))
        return await reply

    async def _request(self) -> tuple[list[str], asyncio.Future[str]]:
        await turn()
        TestCase().assertEqual(len(self.requests), 1, "requests under way")
        return self.requests.pop()

    async def answer(self, **changes: Any) -> list[str]:
        """Answers the request that is under way, and returns its words."""
        words, reply = await self._request()
        self._revision += 1
        told = {"revision": f"r-{self._revision}", "now": 0, "whole": words[2] == "0", "groups": [], "deleted": [], **changes}
        reply.set_result(json.dumps(told))
        await turn()
        return words

    async def fail(self, error: Exception) -> None:
        (await self._request())[1].set_exception(error)
        await turn()


async def turn() -> None:
    """Lets all go on that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def group(rows: dict[str, str], expires_at: int | None = None) -> dict[str, Any]:
    """Rows of one field, `a`, by id."""
    return {"expiresAt": expires_at, "fields": ["a"], "ids": list(rows), "columns": [list(rows.values())]}
