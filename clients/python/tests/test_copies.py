"""Copies of tables: which request answers a call, what is kept, and when it goes."""

from __future__ import annotations

import asyncio
import copy as copying
import json
import random
import threading
from datetime import timedelta
from typing import Any
from unittest import IsolatedAsyncioTestCase
from unittest.mock import patch

import redis

from quotelock import PriceTableCopies, ServerError, VehPrice
from quotelock.asyncio import PriceTableCopies as AsyncCopies

from .feigned import FeignedServer, group, turn
from .harness import URL, Classes, ServerTest, key, through_each_driver


class Calls(IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.server = FeignedServer()
        self.copies = AsyncCopies(self.server.send, max_bytes=1_000_000, fields=["a"])
        self.copy = self.copies.of("t")

    async def test_share_a_round_trip_without_a_pause_between_them(self) -> None:
        calls = asyncio.gather(self.copy.row(1), self.copy.rows(["1", "2"]), self.copies.of("t").all())
        words = await self.server.answer(groups=[group({"1": "x"})])
        self.assertEqual(await calls, [{"a": "x"}, [{"a": "x"}, None], {"1": {"a": "x"}}])
        self.assertEqual(words, ["VEHPRICE.CHANGES", "t", "0", "FIELDS", "1", "a", "JSON"])
        self.assertEqual(self.server.asked, 1)

    async def test_are_not_answered_by_a_request_sent_before_them(self) -> None:
        early = asyncio.create_task(self.copy.row(1))
        await turn()
        # What is written now may be in the answer that is under way, or not.
        late = asyncio.gather(self.copy.row(1), self.copy.row(1))
        await turn()
        self.assertEqual(self.server.asked, 1)
        await self.server.answer(groups=[group({"1": "before"})])
        self.assertEqual(await early, {"a": "before"})
        words = await self.server.answer(groups=[group({"1": "after"})])
        self.assertEqual(await late, [{"a": "after"}, {"a": "after"}])
        self.assertEqual((words[2], self.server.asked), ("r-1", 2))

    async def test_fail_by_their_own_request_alone(self) -> None:
        early = asyncio.gather(self.copy.row(1), self.copy.row(1), return_exceptions=True)
        await turn()
        late = asyncio.create_task(self.copy.row(1))
        lost = ConnectionResetError("lost")
        await self.server.fail(lost)
        self.assertEqual(await early, [lost, lost])
        await self.server.answer(groups=[group({"1": "x"})])
        self.assertEqual(await late, {"a": "x"})

    async def test_cancelled_ones_take_it_from_nobody_else(self) -> None:
        one, other = asyncio.create_task(self.copy.row(1)), asyncio.create_task(self.copy.row(1))
        await turn()
        one.cancel()
        await self.server.answer(groups=[group({"1": "x"})])
        self.assertEqual(await other, {"a": "x"})
        self.assertTrue(one.cancelled())

    async def test_say_what_is_so_by_the_servers_clock(self) -> None:
        async def left(now: int, **changes: Any) -> str:
            call = asyncio.create_task(self.copy.all())
            await self.server.answer(now=now, **changes)
            return ",".join(await call)

        groups = [group({"1": "x", "2": "x"}, 100), group({"3": "x"}, 50), group({"4": "x"}), group({"5": "x"}, 200)]
        self.assertEqual(await left(10, groups=groups), "1,2,3,4,5")
        self.assertEqual([await left(49), await left(50)], ["1,2,3,4,5", "1,2,4,5"])
        again = [group({"1": "y"}, 300), group({"4": "y"}, 70), group({"6": "y"}, 65)]
        self.assertEqual(await left(60, groups=again), "2,5,1,4,6")
        self.assertEqual(await left(61, groups=[group({"6": "y"}, 100)]), "2,5,1,4,6")
        self.assertEqual([await left(70), await left(100), await left(200)], ["2,5,1,6", "5,1", "1"])
        self.assertEqual([await left(299), await left(300)], ["1", ""])

    async def test_share_rows_that_nobody_can_change(self) -> None:
        async def read(**changes: Any) -> Any:
            call = asyncio.create_task(self.copy.all())
            await self.server.answer(**changes)
            return await call

        first = await read(groups=[group({"1": "x", "2": "y"})])
        self.assertIs(await read(now=5), first)
        for change in (
            lambda: first["1"].update(a="z"),
            lambda: first["1"].__setitem__("a", "z"),
            lambda: first["1"].pop("a"),
            lambda: first.__setitem__("1", {}),
        ):
            self.assertRaises((TypeError, AttributeError), change)
        second = await read(groups=[group({"2": "Y"})], deleted=["1"])
        self.assertEqual([dict(first), dict(second)], [{"1": {"a": "x"}, "2": {"a": "y"}}, {"2": {"a": "Y"}}])
        own = copying.deepcopy(first["1"])
        own["a"] = "z"
        self.assertEqual([own, json.dumps(first["1"])], [{"a": "z"}, '{"a": "x"}'])

    async def test_end_the_copy_where_it_is_no_more(self) -> None:
        for error, is_kept in (
            (ConnectionResetError("lost"), True),
            (redis.exceptions.BusyLoadingError("Redis is loading the dataset in memory"), True),
            (redis.exceptions.ClusterDownError("CLUSTERDOWN Hash slot not served"), True),
            (redis.exceptions.ResponseError("unknown command 'VEHPRICE.CHANGES', with args beginning with: 't' "), False),
            (redis.exceptions.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"), False),
            (redis.exceptions.NoPermissionError("User default has no permissions to run the 'vehprice.changes' command"), False),
            (redis.exceptions.ResponseError("invalid revision 'r-1', expected 0 or what the last call returned"), False),
        ):
            self.setUp()
            call = asyncio.create_task(self.copy.row(1))
            await self.server.answer(groups=[group({"1": "x"})])
            await call
            failing = asyncio.create_task(self.copy.row(1))
            await self.server.fail(error)
            with self.assertRaises((ServerError, ConnectionResetError)):
                await failing
            self.assertEqual((self.copies.bytes > 0, len(self.copies)), (is_kept, int(is_kept)), error)
            again = asyncio.create_task(self.copy.row(1))
            self.assertEqual((await self.server.answer())[2], "r-1" if is_kept else "0")
            self.assertEqual(await again, {"a": "x"} if is_kept else None)


class Final(IsolatedAsyncioTestCase):
    async def test_rows_are_answered_without_a_round_trip_until_they_expire(self) -> None:
        server, clock = FeignedServer(), [5000.0]
        copy = AsyncCopies(server.send, max_bytes=1_000_000, final=True).of("t")
        own_ms = (
            patch.multiple("quotelock._kept_tables", own_ms=lambda: clock[0]),
            patch("quotelock.asyncio.copies.own_ms", lambda: clock[0]),
        )
        with own_ms[0], own_ms[1]:
            call = asyncio.create_task(copy.rows([1, 2]))
            await turn()
            clock[0] += 7  # a request takes its time
            await server.answer(now=100, groups=[group({"1": "x", "2": "x"}, 1000), group({"3": "x"}, 1500), group({"4": "x"})])
            await call
            self.assertEqual(await copy.rows([4, 2, "1", 2]), [{"a": "x"}] * 4)
            clock[0] += 892  # the server's clock is at 999 at most
            self.assertEqual(await copy.rows([1, 2, 3, 4]), [{"a": "x"}] * 4)
            clock[0] += 1
            self.assertEqual(await copy.rows([3, 4]), [{"a": "x"}] * 2)
            self.assertEqual(server.asked, 1)
            late = asyncio.create_task(copy.rows([1, 4, 5]))
            await server.answer(now=1000, groups=[group({"5": "y"})])
            self.assertEqual(await late, [None, {"a": "x"}, {"a": "y"}])
            self.assertEqual(server.asked, 2)


class Memory(IsolatedAsyncioTestCase):
    TEN = group({str(id): "x" for id in range(10)})

    async def asyncSetUp(self) -> None:
        self.server = FeignedServer()

    async def read(self, copies: Any, key: str, **changes: Any) -> str:
        call = asyncio.create_task(copies.of(key).row(1))
        words = await self.server.answer(**changes)
        await call
        return words[2]

    async def test_is_counted_and_bounded(self) -> None:
        copies = AsyncCopies(self.server.send, max_bytes=1_000_000)
        await self.read(copies, "t", groups=[self.TEN])
        ten = copies.bytes
        self.assertTrue(2000 < ten < 6000, ten)
        await self.read(copies, "t", groups=[group({"1": "x" * 1001})])
        self.assertEqual(copies.bytes, ten + 1000)
        await self.read(copies, "t", deleted=["1", "99"])
        self.assertEqual(copies.bytes, ten // 10 * 9)
        await self.read(copies, "t", revision="0", whole=True)
        self.assertEqual((copies.bytes, len(copies)), (0, 0))

        copies = AsyncCopies(self.server.send, max_bytes=3 * ten)
        for name in ("one", "two", "three", "one", "four"):
            await self.read(copies, name, groups=[] if name in copies._kept._copies else [self.TEN])
        self.assertEqual((copies.bytes, len(copies)), (3 * ten, 3))
        kept = [name for name in ("one", "three", "four") if await self.read(copies, name) != "0"]
        self.assertEqual(kept, ["one", "three", "four"])
        large = {str(id): "x" for id in range(40)}
        self.assertEqual(await self.read(copies, "large", groups=[group(large)]), "0")
        self.assertEqual(await self.read(copies, "large", groups=[group(large)]), "0")
        self.assertEqual(len(copies), 3)

    async def test_is_what_the_process_takes(self) -> None:
        """By its own allocator: the estimate is neither half nor twice of it."""
        import tracemalloc

        ids = [f"vehicle-{id}" for id in range(8000)]
        told = {"ids": ids, "fields": ["a", "b"], "columns": [[f"style-{id % 50}" for id in range(8000)], [None] * 8000], "expiresAt": 9}
        copies = AsyncCopies(self.server.send, max_bytes=10_000_000)
        tracemalloc.start()
        try:
            await self.read(copies, "t", groups=[told])
            del told
            taken = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        self.assertTrue(taken / 2 < copies.bytes < taken * 2, (taken, copies.bytes))


class OnAServer(ServerTest):
    @through_each_driver
    async def test_answer_what_the_table_has(self, classes: Classes) -> None:
        prices, table = classes.VehPrice(), key("table")
        copies = classes.PriceTableCopies(max_bytes=1_000_000)
        copy = copies.of(table)
        some = classes.PriceTableCopies(max_bytes=1_000_000, fields=["b", "none"]).of(table)
        self.assertEqual([await copy.row(1), len(await copy.all()), copies.bytes], [None, 0, 0])
        await prices.mset(table, {"1": {"a": "x", "b": 'é\n"'}, "2": {"b": ""}})
        self.assertEqual(await copy.rows([1, "2", 3]), [{"a": "x", "b": 'é\n"'}, {"b": ""}, None])
        self.assertEqual(await some.row(1), {"b": 'é\n"', "none": None})
        for round in range(10):
            await prices.set(table, 1, {"a": round}, merge=True)
            self.assertEqual((await copy.row(1))["a"], str(round))
        await prices.clear(table)
        self.assertEqual([await copy.row(1), copies.bytes], [None, 0])

    @through_each_driver
    async def test_stay_exact_through_random_writes(self, classes: Classes) -> None:
        dice = random.Random(7)
        prices, table = classes.VehPrice(), key("table")
        copy = classes.PriceTableCopies(max_bytes=10_000_000).of(table)
        for _ in range(60):
            ids = [dice.randrange(200) for _ in range(dice.randrange(1, 40))]
            if dice.random() < 0.2:
                await prices.delete(table, ids)
            else:
                expiry = timedelta(milliseconds=dice.choice([3, 30, 60_000]))
                await prices.mset(table, [(id, {dice.choice("ab"): dice.randrange(9)}) for id in ids], expiry=expiry)
            before = await prices.get_all(table)
            now = dict(await copy.all())
            after = await prices.get_all(table)
            # What expires meanwhile is in the one and not in the other.
            self.assertTrue(after.items() <= now.items() <= before.items())

    def test_are_shared_by_threads(self) -> None:
        prices, table = VehPrice(redis.Redis.from_url(URL)), key("table")
        copy = PriceTableCopies(redis.Redis.from_url(URL), max_bytes=1_000_000).of(table)
        wrong: list[Any] = []

        def read_own_writes(id: int) -> None:
            for round in range(50):
                prices.set(table, id, {"a": round})
                row = copy.row(id)
                if row != {"a": str(round)}:
                    wrong.append((id, round, row))

        threads = [threading.Thread(target=read_own_writes, args=[id]) for id in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
