"""Going on with upstream alone while Redis is down, and coming back."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest import TestCase
from unittest.mock import patch

import redis
import redis.asyncio

from quotelock import FillError, FillOptions, Lock, PriceTable, Reserved, Seen, Timing, VehPrice, is_unavailable

from .harness import ServerTest, key, until
from .way import Way, at_once, bare, either_way, given

TIMING = Timing(ttl_ms=360_000, align_ms=60_000, lag_ms=0)
DOWN = redis.exceptions.ConnectionError("Connection refused")


def cut(_command: str) -> bool:
    return True


def new_table() -> PriceTable:
    return PriceTable(key("table"), timedelta(minutes=1))


class Upstream:
    """Knows each id but 99."""

    def __init__(self, way: Way, seconds: float = 0) -> None:
        self.seconds = seconds
        self.asked: list[list[str]] = []
        self.most_at_once = 0
        self._at_once = 0
        self.fetch: Any = self._fetch_async if way.is_async else self._fetch

    def _fetch(self, ids: list[str]) -> Any:
        self._begin()
        time.sleep(self.seconds)
        return self._end(ids)

    async def _fetch_async(self, ids: list[str]) -> Any:
        self._begin()
        await asyncio.sleep(self.seconds)
        return self._end(ids)

    def _begin(self) -> None:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)

    def _end(self, ids: list[str]) -> Any:
        self._at_once -= 1
        self.asked.append(ids)
        return {id: {"price": int(id) * 2} for id in ids if id != "99"}


class Clock:
    """The clock of outages, which stands still."""

    def __init__(self, test: TestCase) -> None:
        self.now = 5000.0
        test.enterContext(patch("quotelock._outage.monotonic", lambda: self.now))


class Feigned:
    """Calls through an outage, to a Redis that answers what it is told to, and when."""

    def __init__(self, way: Way, clock: Clock, **options: Any) -> None:
        self.outage = way.outage(pause_ms=250, **options)
        self.asked = 0
        self.error: Exception | None = None
        self.seconds = 0.0
        """How long an answer takes by the clock."""
        self.go = threading.Event()
        self.go.set()
        self._clock = clock
        self._redis: Any = self._answer_async if way.is_async else self._answer

    def call(self) -> Any:
        return self.outage.run(self._redis, lambda: "upstream")

    def _answer(self) -> str:
        self.asked += 1
        self.go.wait(30)
        self._clock.now += self.seconds
        if self.error:
            raise self.error
        return "redis"

    async def _answer_async(self) -> str:
        return await asyncio.to_thread(self._answer)


class Outages(ServerTest):
    @either_way
    async def test_pause_after_a_failure_and_then_one_call_tries_while_the_others_go_on(self, way: Way) -> None:
        changes, clock = list[Any](), Clock(self)
        feigned = Feigned(way, clock, on_change=lambda *change: changes.append(change))
        self.assertEqual((await given(feigned.call()), feigned.outage.is_on), ("redis", False))
        feigned.error = DOWN
        self.assertEqual((await given(feigned.call()), feigned.outage.is_on), ("upstream", True))
        for _ in range(5):
            self.assertEqual(await given(feigned.call()), "upstream")
        self.assertEqual(feigned.asked, 2, "it was asked in the pause")
        clock.now += 0.25
        feigned.error = None
        feigned.go.clear()
        trying = asyncio.create_task(at_once(way, [feigned.call]))
        await until(lambda: feigned.asked == 3)
        self.assertEqual(await at_once(way, [feigned.call] * 2), ["upstream", "upstream"])
        feigned.go.set()
        self.assertEqual(await trying, ["redis"])
        self.assertEqual((feigned.asked, feigned.outage.is_on, await given(feigned.call())), (3, False, "redis"))
        self.assertEqual(changes, [(True, DOWN), (False, None)])

    @either_way
    async def test_pause_again_where_the_call_that_tries_fails(self, way: Way) -> None:
        changes, clock = list[Any](), Clock(self)
        feigned = Feigned(way, clock, on_change=lambda *change: changes.append(change))
        feigned.error = DOWN
        # However long it takes to fail.
        feigned.seconds = 0.3
        for asked in (1, 2, 3):
            self.assertEqual(await given(feigned.call()), "upstream")
            self.assertEqual(await given(feigned.call()), "upstream")
            self.assertEqual(feigned.asked, asked)
            clock.now += 0.25
        self.assertEqual(changes, [(True, DOWN)])

    @either_way
    async def test_are_no_answer_to_a_call_that_is_wrong(self, way: Way) -> None:
        for error in (redis.exceptions.ResponseError("invalid roleIds"), redis.exceptions.NoPermissionError("no"), TypeError("none")):
            feigned = Feigned(way, Clock(self))
            feigned.error = error
            with self.assertRaises(type(error)) as raised:
                await given(feigned.call())
            self.assertIs(raised.exception, error)
            self.assertFalse(feigned.outage.is_on)

    @either_way
    async def test_end_where_redis_answers_an_error(self, way: Way) -> None:
        clock = Clock(self)
        feigned = Feigned(way, clock)
        feigned.error = DOWN
        await given(feigned.call())
        clock.now += 0.25
        feigned.error = redis.exceptions.ResponseError("invalid roleIds")
        with self.assertRaises(redis.exceptions.ResponseError):
            await given(feigned.call())
        self.assertFalse(feigned.outage.is_on)

    @either_way
    async def test_fail_no_call_by_their_hook(self, way: Way) -> None:
        feigned = Feigned(way, Clock(self), on_change=lambda *_: 1 / 0)
        feigned.error = DOWN
        self.assertEqual(await given(feigned.call()), "upstream")

    @either_way
    async def test_begin_where_redis_is_silent(self, way: Way) -> None:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            kind: Any = redis.asyncio if way.is_async else redis
            retry = kind.retry.Retry(redis.backoff.NoBackoff(), 0)
            client = kind.Redis(port=listening.getsockname()[1], socket_timeout=0.2, retry=retry)
            outage = way.outage()
            self.assertEqual(await given(outage.run(client.ping, lambda: "upstream")), "upstream")
            self.assertTrue(outage.is_on)
            await given((client.aclose if way.is_async else client.close)())


class Screens(ServerTest):
    @either_way
    async def test_go_on_with_upstream_at_the_moment_that_was_seen_and_come_back_by_themselves(self, way: Way) -> None:
        clock, outage, upstream = Clock(self), way.outage(), Upstream(way)
        tables, locks = way.PriceTables(outage=outage), bare(way.LockedQuoteInfo())
        prefix, user = key("prices"), key("user")

        async def screen(seen: str | None = None) -> tuple[str, bool]:
            lock = await given(
                outage.run(
                    lambda: locks.acquire(user, ["3"], **TIMING.lock_options),
                    lambda: TIMING.unlocked(["3"], seen),
                )
            )
            filled = await tables.get_or_fill(TIMING.table(lock, prefix, lock.role_ids), [1, 99, 1], upstream.fetch, fields=["price"])
            self.assertEqual((filled.rows, filled.missing), ([{"price": "2"}, None, {"price": "2"}], ["99"]))
            return lock.query_time, filled.locked

        moment, locked = await screen()
        self.assertTrue(locked)
        way.is_cut = cut
        way.asked.clear()
        for _ in range(5):
            self.assertEqual(await screen(moment), (moment, False))
        self.assertEqual(way.asked, ["QUOTELOCK.ACQUIRE"], "it was asked in the pause")
        way.is_cut = lambda _command: False
        clock.now += 1
        asked = len(upstream.asked)
        self.assertEqual(await screen(moment), (moment, True))
        self.assertEqual((outage.is_on, len(upstream.asked)), (False, asked), "it did not fill")

    @either_way
    async def test_fail_without_an_outage(self, way: Way) -> None:
        way.is_cut = cut
        with self.assertRaises(redis.exceptions.ConnectionError) as raised:
            await way.PriceTables().get_or_fill(new_table(), [1], Upstream(way).fetch)
        self.assertTrue(is_unavailable(raised.exception))

    @either_way
    async def test_keep_what_they_have_where_redis_fails_midway(self, way: Way) -> None:
        for lost in ("VEHPRICE.CLAIM", "VEHPRICE.MSET"):
            table, upstream, outage = new_table(), Upstream(way), way.outage()
            VehPrice(self.redis).mset(table.key, {1: {"price": "own"}})
            way.is_cut = lambda command, lost=lost: command == lost  # type: ignore[misc]
            filled = await way.PriceTables(outage=outage).get_or_fill(table, [1, 2], upstream.fetch, fields=["price"])
            self.assertEqual(filled.rows, [{"price": "own"}, {"price": "4"}], lost)
            self.assertEqual((filled.hits, filled.filled, filled.waited, filled.missing, filled.locked), (1, 1, 0, [], False), lost)
            self.assertEqual((upstream.asked, outage.is_on), ([["2"]], True), lost)
        way.is_cut = lambda command: command == "VEHPRICE.MSET"
        with self.assertRaises(redis.exceptions.ConnectionError):
            await way.PriceTables().get_or_fill(new_table(), [2], upstream.fetch)
        self.assertEqual(len(upstream.asked), 2)

    @either_way
    async def test_of_a_process_ask_upstream_once_for_the_same_rows(self, way: Way) -> None:
        way.is_cut = cut
        table, upstream = new_table(), Upstream(way, seconds=1)
        tables = bare(way.PriceTables(FillOptions(limit=2), outage=way.outage()))
        screens = [partial(tables.get_or_fill, table, ids, upstream.fetch) for ids in ([1, 2, 3], [3, 2, 99], [2, 1])]
        first, second, third = await at_once(way, screens)
        self.assertEqual(first.rows, [{"price": "2"}, {"price": "4"}, {"price": "6"}])
        self.assertEqual((second.rows, second.missing), ([{"price": "6"}, {"price": "4"}, None], ["99"]))
        self.assertEqual(third.rows, [{"price": "4"}, {"price": "2"}])
        self.assertEqual((first.filled, second.filled, third.filled), (3, 2, 2))
        self.assertEqual(sorted(id for ids in upstream.asked for id in ids), ["1", "2", "3", "99"])
        self.assertLessEqual(max(map(len, upstream.asked)), 2)
        # What is under way is shared, what is done isn't; except ids that upstream does not know.
        upstream.seconds = 0
        again = await given(tables.get_or_fill(table, [1, 99], upstream.fetch))
        self.assertEqual((again.missing, upstream.asked[-1]), (["99"], ["1"]))

    @either_way
    async def test_have_a_bound_of_time(self, way: Way) -> None:
        way.is_cut = cut
        tables = way.PriceTables(FillOptions(limit=1, parallel=1, max_ms=300), outage=way.outage())
        began = time.monotonic()
        with self.assertRaisesRegex(FillError, "^2 of 2 rows could not be had: no answer within 300 ms$") as raised:
            await tables.get_or_fill(new_table(), [1, 2], Upstream(way, seconds=4).fetch)
        self.assertLess(time.monotonic() - began, 3.5)
        self.assertEqual((raised.exception.failed, raised.exception.filled.locked), (["1", "2"], False))

    @either_way
    async def test_have_a_bound_of_upstream_calls(self, way: Way) -> None:
        way.is_cut = cut
        upstream = Upstream(way, seconds=0.05)
        tables = bare(way.PriceTables(FillOptions(limit=1, parallel=2), outage=way.outage()))
        screens = [partial(tables.get_or_fill, new_table(), [1, 2, 3], upstream.fetch) for _ in range(2)]
        self.assertEqual([filled.filled for filled in await at_once(way, screens)], [3, 3])
        self.assertEqual(upstream.most_at_once, 2)

    @either_way
    async def test_say_what_upstream_failed_with(self, way: Way) -> None:
        way.is_cut = cut

        def fail(_ids: list[str]) -> Any:
            raise ConnectionRefusedError("upstream is down")

        with self.assertRaisesRegex(FillError, "^1 of 1 rows could not be had: upstream is down$") as raised:
            await way.PriceTables(outage=way.outage()).get_or_fill(new_table(), [1], way.fetch(fail))
        self.assertFalse(is_unavailable(raised.exception))

    @either_way
    async def test_reserve_at_what_upstream_answers(self, way: Way) -> None:
        way.is_cut = cut
        lock, name = Lock(["3"], TIMING.moment_at(datetime.now(UTC)), "Effective"), key("prices")
        outage = way.outage()
        tables = way.PriceTables(outage=outage)
        for id, price, expected in (
            (2, "4", Reserved("Match", {"price": "4"}, locked=False)),
            (2, "5", Reserved("Changed", {"price": "4"}, locked=False)),
            (99, "4", Reserved("NewQuote", None, locked=False)),
        ):
            seen = Seen(lock.query_time, {"price": price})
            got = await tables.reserve(lock, lambda lock: TIMING.table(lock, name), id, seen, Upstream(way).fetch)
            self.assertEqual(got, expected)
        self.assertEqual((way.asked, outage.is_on), (["VEHPRICE.VERIFY"], True))
