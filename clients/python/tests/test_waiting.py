"""Waiting for what others fetch, whatever the driver's time-out is."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from unittest.mock import patch

import redis
import redis.asyncio

from quotelock import VehPrice
from quotelock.asyncio import VehPrice as AsyncVehPrice

from .harness import URL, ServerTest, key


class Waiting(ServerTest):
    async def test_lasts_until_the_row_is_there(self) -> None:
        for timeout in (0.6, 5.0, None):
            client = redis.asyncio.Redis.from_url(URL, socket_timeout=timeout)
            prices, table = AsyncVehPrice(client), key("table")
            token = (await prices.claim(table, [1], ttl_ms=60_000)).token
            waiting = asyncio.create_task(prices.mget(table, [1, 2], block_ms=0))
            await asyncio.sleep(0.7)
            self.assertFalse(waiting.done())
            await prices.mset(table, {"1": {"a": 1}}, token=token)
            began = time.monotonic()
            self.assertEqual(await waiting, [{"a": "1"}, None])
            self.assertLess(time.monotonic() - began, 1.0)
            await client.aclose()

    def test_ends_with_its_time(self) -> None:
        for timeout in (0.5, None):
            prices, table = VehPrice(redis.Redis.from_url(URL, socket_timeout=timeout)), key("table")
            prices.claim(table, [1], ttl_ms=60_000)
            began = time.monotonic()
            self.assertEqual(prices.mget(table, [1], fields=["a"], block_ms=400), [None])
            self.assertTrue(0.39 < time.monotonic() - began < 1.9, time.monotonic() - began)

    def test_asks_the_server_again_within_the_drivers_time_out(self) -> None:
        for timeout, longest in ((0.5, 200), (1, 700), (5.0, 2000), (None, 2000)):
            client = redis.Redis.from_url(URL, socket_timeout=timeout)
            sent: list[Any] = []
            with patch.object(client, "execute_command", side_effect=lambda *words, sent=sent: sent.append(words) or '[{"a":"1"}]'):
                VehPrice(client).mget("t", [1], block_ms=60_000)
            self.assertEqual(sent, [("VEHPRICE.MGET", "t", "JSON", "BLOCK", str(longest), "LIST", '["1"]')])

    def test_is_refused_where_the_driver_would_end_it(self) -> None:
        client = redis.Redis.from_url(URL, socket_timeout=0.4)
        with self.assertRaisesRegex(ValueError, "socket_timeout is at least half a second"):
            VehPrice(client).mget("t", [1], block_ms=1)
        self.assertEqual(VehPrice(client).mget(key(), [1]), [None])


class Lost(ServerTest):
    """A call whose reply is lost, or that is given up."""

    def test_a_claim_that_is_sent_again_is_answered_the_same(self) -> None:
        table, replies = key("table"), list[Any]()

        def twice(words: list[str], _key: str, _read_only: bool) -> Any:
            replies.extend(self.redis.execute_command(*words) for _ in range(2))
            return replies[-1]

        claim = VehPrice(twice).claim(table, [1], ttl_ms=60_000)
        self.assertEqual(replies[0], replies[1])
        self.assertEqual(claim.claimed, ["1"])

    async def test_a_claim_that_is_cancelled_is_given_up(self) -> None:
        table, hang = key("table"), asyncio.Event()

        async def send(words: list[str], _key: str, _read_only: bool) -> Any:
            reply = self.redis.execute_command(*words)
            if words[0] == "VEHPRICE.CLAIM" and not hang.is_set():
                hang.set()
                await asyncio.sleep(60)
            return reply

        prices = AsyncVehPrice(send)
        claiming = asyncio.create_task(prices.claim(table, [1], ttl_ms=60_000))
        await hang.wait()
        claiming.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await claiming
        for _ in range(50):
            if (await prices.claim(table, [1], ttl_ms=60_000)).claimed:
                return
            await asyncio.sleep(0.01)
        self.fail("the row is still pending")

    def test_a_claim_whose_reply_is_lost_is_given_up(self) -> None:
        table, lost = key("table"), list[Any]()

        def send(words: list[str], _key: str, _read_only: bool) -> Any:
            reply = self.redis.execute_command(*words)
            if words[0] == "VEHPRICE.CLAIM" and not lost:
                lost.append(words)
                raise redis.exceptions.TimeoutError("Timeout reading from socket")
            return reply

        prices = VehPrice(send)
        self.assertRaises(redis.exceptions.TimeoutError, prices.claim, table, [1], ttl_ms=60_000)
        for _ in range(50):
            if prices.claim(table, [1], ttl_ms=60_000).claimed:
                return
            time.sleep(0.01)
        self.fail("the row is still pending")
