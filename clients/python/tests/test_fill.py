"""One call that reads a screen's rows and has fetched what is missing, of all pods by one."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import redis
import redis.asyncio

from quotelock import FillError, FillOptions, Lock, PriceTable, PriceTables, Timing, VehPrice, is_unavailable
from quotelock.asyncio import PriceTables as AsyncTables

from .harness import URL, Classes, ServerTest, key, through_each_driver, until
from .way import Way, either_way, given


def cache() -> PriceTable:
    return PriceTable(key("table"), timedelta(minutes=1))


def rows_of(ids: list[str]) -> dict[str, dict[str, Any]]:
    return {id: {"price": int(id) * 2, "note": None} for id in ids if id != "99"}


class Filling(ServerTest):
    @through_each_driver
    async def test_fetches_what_is_missing_once(self, classes: Classes) -> None:
        table, asked = cache(), list[Any]()

        def note(ids: list[str]) -> Any:
            asked.append(ids)
            return rows_of(ids)

        fetch = classes.fetch(note)
        tables = classes.PriceTables()
        await classes.VehPrice().mset(table.key, {"1": {"price": "own"}})
        filled = await tables.get_or_fill(table, [1, 2, "99", 2], fetch, fields=["price"])
        self.assertEqual(filled.rows, [{"price": "own"}, {"price": "4"}, None, {"price": "4"}])
        self.assertEqual((filled.hits, filled.filled, filled.waited, filled.missing), (1, 1, 0, ["99"]))
        # Neither this process nor another asks again for what upstream does not know.
        for pod in (tables, classes.PriceTables()):
            again = await pod.get_or_fill(table, [2, 99], fetch, fields=["price"])
            self.assertEqual((again.hits, again.missing), (1, ["99"]))
        self.assertEqual(asked, [["2", "99"]])
        copy = classes.PriceTableCopies(max_bytes=1_000_000, fields=["price"]).of(table.key)
        self.assertEqual((await tables.get_or_fill(table, [2], fetch, fields=["price"], copy=copy)).rows, [{"price": "4"}])

    async def test_ten_pods_ask_for_each_row_once(self) -> None:
        table, asked = cache(), list[Any]()

        async def fetch(ids: list[str]) -> Any:
            asked.extend(ids)
            await asyncio.sleep(0.1)
            return rows_of(ids)

        pods = [redis.asyncio.Redis.from_url(URL) for _ in range(10)]
        ids = [str(id) for id in range(1000, 2000)]
        screens = [AsyncTables(pod, FillOptions(limit=300)).get_or_fill(table, ids, fetch, fields=["price"]) for pod in pods]
        for filled in await asyncio.gather(*screens):
            self.assertEqual([row and row["price"] for row in filled.rows], [str(int(id) * 2) for id in ids])
            self.assertEqual(filled.hits + filled.filled + filled.waited, 1000)
        self.assertEqual(sorted(asked), ids)
        for pod in pods:
            await pod.aclose()

    def test_ten_threads_ask_for_each_row_once(self) -> None:
        table, asked, seen = cache(), list[Any](), list[Any]()
        tables = PriceTables(redis.Redis.from_url(URL))

        def fetch(ids: list[str]) -> Any:
            asked.extend(ids)
            time.sleep(0.1)
            return rows_of(ids)

        def screen() -> None:
            seen.append(tables.get_or_fill(table, ids, fetch).rows)

        ids = [str(id) for id in range(1000, 1200)]
        threads = [threading.Thread(target=screen) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(seen, [[{"price": str(int(id) * 2)} for id in ids]] * 10)
        self.assertEqual(sorted(asked), ids)

    @through_each_driver
    async def test_an_upstream_slower_than_claims_is_asked_once(self, classes: Classes) -> None:
        table, asked = cache(), list[Any]()

        def slow(ids: list[str]) -> Any:
            asked.append(ids)
            time.sleep(0 if classes.is_async else 4.5)
            return rows_of(ids)

        async def fetch(ids: list[str]) -> Any:
            await asyncio.sleep(4.5)
            return slow(ids)

        options = FillOptions(claim_ms=4000)
        way: Any = fetch if classes.is_async else slow
        one, other = classes.PriceTables(options), classes.PriceTables(options)
        if classes.is_async:
            seen = list(await asyncio.gather(one.get_or_fill(table, [1], way), other.get_or_fill(table, [1], way)))
        else:
            seen = [await one.get_or_fill(table, [1], way)]
        self.assertEqual([filled.rows for filled in seen], [[{"price": "2"}]] * len(seen))
        self.assertEqual(asked, [["1"]])

    @through_each_driver
    async def test_stores_nothing_that_was_fetched_before_its_row_was_deleted(self, classes: Classes) -> None:
        table, answers = cache(), ["old", "new"]

        def slow(ids: list[str]) -> Any:
            price = answers.pop(0)
            if price == "old":
                time.sleep(0.2)
                with redis.Redis.from_url(URL) as other:
                    other.execute_command("VEHPRICE.DEL", table.key, "1")
                # Claims are renewed before it answers.
                time.sleep(2.3)
            return {id: {"price": f"{price} {id}"} for id in ids}

        async def fetch(ids: list[str]) -> Any:
            return await asyncio.to_thread(slow, ids)

        tables = classes.PriceTables(FillOptions(claim_ms=3000))
        filled = await tables.get_or_fill(table, [1, 2], fetch if classes.is_async else slow)
        self.assertEqual(filled.rows, [{"price": "new 1"}, {"price": "old 2"}])

    @through_each_driver
    async def test_tries_again_and_then_says_what_failed(self, classes: Classes) -> None:
        table, asked = cache(), list[Any]()

        def fail(ids: list[str]) -> Any:
            asked.append(ids)
            if len(asked) != 2:
                raise ConnectionRefusedError("upstream is down")
            return rows_of(ids)

        tables = classes.PriceTables(FillOptions(tries=2, limit=10))
        filled = await tables.get_or_fill(table, [1], classes.fetch(fail))
        self.assertEqual((filled.rows, filled.filled, len(asked)), ([{"price": "2"}], 1, 2))
        with self.assertRaisesRegex(FillError, "^1 of 2 rows could not be had: upstream is down$") as raised:
            await tables.get_or_fill(table, [1, 2], classes.fetch(fail))
        error = raised.exception
        self.assertEqual((error.filled.rows, error.failed, len(asked)), ([{"price": "2"}, None], ["2"], 4))
        # An upstream that can't be reached is no Redis that can't.
        self.assertFalse(is_unavailable(error))
        # Nothing stays claimed.
        self.assertEqual((await classes.VehPrice().claim(table.key, [2], ttl_ms=1000)).claimed, ["2"])

    @through_each_driver
    async def test_ids_that_fail_are_not_those_that_upstream_does_not_know(self, classes: Classes) -> None:
        def fail(ids: list[str]) -> Any:
            if ids == ["1"]:
                raise ConnectionRefusedError("upstream is down")
            return rows_of(ids)

        tables = classes.PriceTables(FillOptions(tries=1, limit=1))
        with self.assertRaisesRegex(FillError, "^1 of 3 rows could not be had: upstream is down$") as raised:
            await tables.get_or_fill(cache(), [1, 2, 99], classes.fetch(fail))
        self.assertEqual((raised.exception.failed, raised.exception.filled.missing), (["1"], ["99"]))

    @through_each_driver
    async def test_waits_for_as_long_as_it_is_told_however_long(self, classes: Classes) -> None:
        table, asked = cache(), list[Any]()

        def fetch(ids: list[str]) -> Any:
            asked.append(ids)
            return rows_of(ids)

        for longest in (2**53 - 1, 10**400):
            tables = classes.PriceTables(FillOptions(max_ms=longest, fetch_ms=longest))
            filled = await tables.get_or_fill(table, [longest % 7, 99], classes.fetch(fetch))
            self.assertEqual(filled.rows[0], {"price": str(longest % 7 * 2)})
        # Another pod's claim ends.
        VehPrice(self.redis).claim(table.key, [1], ttl_ms=300)
        filled = await tables.get_or_fill(table, [1], classes.fetch(fetch))
        self.assertEqual((filled.rows, asked[-1]), ([{"price": "2"}], ["1"]))

    @either_way
    async def test_waits_are_shorter_than_the_drivers_time_out(self, way: Way) -> None:
        kind: Any = redis.asyncio if way.is_async else redis
        for timeout in (0.7, 0.35):
            client = kind.Redis.from_url(URL, socket_timeout=timeout)
            table = cache()
            VehPrice(self.redis).claim(table.key, [1], ttl_ms=2000)
            with patch.object(client, "execute_command", wraps=client.execute_command) as sent:
                filled = await Classes(client, way.is_async).PriceTables().get_or_fill(table, [1], way.fetch(rows_of))
            self.assertEqual(filled.rows, [{"price": "2"}], timeout)
            waits = [int(words[words.index("BLOCK") + 1]) for words in (call.args for call in sent.call_args_list) if "BLOCK" in words]
            self.assertLess(max(waits), timeout * 1000 - 200)
            await given((client.aclose if way.is_async else client.close)())

    @through_each_driver
    async def test_rows_that_have_expired_already_are_fetched_once_and_not_kept(self, classes: Classes) -> None:
        asked = list[Any]()

        def fetch(ids: list[str]) -> Any:
            asked.append(ids)
            return rows_of(ids)

        table = PriceTable(key("table"), datetime.now(UTC) - timedelta(seconds=1))
        filled = await classes.PriceTables().get_or_fill(table, [1, 99], classes.fetch(fetch), fields=["price"])
        self.assertEqual((filled.rows, filled.missing, filled.locked), ([{"price": "2"}, None], ["99"], False))
        self.assertEqual(asked, [["1", "99"]])

    async def test_no_call_takes_longer_and_the_next_one_has_the_rows(self) -> None:
        table, asked, go = cache(), list[Any](), threading.Event()

        def slow(ids: list[str]) -> Any:
            asked.append(ids)
            go.wait(30)
            return rows_of(ids)

        tables = PriceTables(redis.Redis.from_url(URL), FillOptions(max_ms=1000, fetch_ms=60_000))
        began = time.monotonic()
        with self.assertRaisesRegex(FillError, "no answer within 1000 ms"):
            tables.get_or_fill(table, [1], slow)
        self.assertLess(time.monotonic() - began, 10)
        go.set()
        await until(lambda: VehPrice(self.redis).len(table.key) == 1)
        self.assertEqual(tables.get_or_fill(table, [1], slow).hits, 1)
        self.assertEqual(asked, [["1"]])

    async def test_upstream_is_given_up_after_its_time(self) -> None:
        table, cancelled = cache(), list[Any]()
        client = redis.asyncio.Redis.from_url(URL)

        async def hang(ids: list[str]) -> Any:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(ids)
                raise

        tables = AsyncTables(client, FillOptions(fetch_ms=100, tries=1))
        with self.assertRaisesRegex(FillError, "upstream did not answer within 100 ms"):
            await tables.get_or_fill(table, [1], hang)
        await asyncio.sleep(0.05)
        self.assertEqual(cancelled, [["1"]])
        await client.aclose()

    def test_goes_on_without_a_table_while_redis_is_down(self) -> None:
        timing = Timing(ttl_ms=360_000, align_ms=60_000, lag_ms=0)
        retry = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
        tables = PriceTables(redis.Redis(port=1, retry=retry))
        lock = Lock(["3"], "2024-09-12T02:50:00.000Z", "Effective")
        with self.assertRaises(redis.exceptions.ConnectionError) as raised:
            tables.get_or_fill(timing.table(lock, "t"), [1], rows_of)
        self.assertTrue(is_unavailable(raised.exception))
        unlocked = timing.table(timing.unlocked(["3"]), "t")
        filled = tables.get_or_fill(unlocked, [1, 99, 1], rows_of, fields=["price", "note"])
        self.assertEqual(filled.rows, [{"price": "2", "note": None}, None, {"price": "2", "note": None}])
        self.assertEqual((filled.locked, filled.filled, filled.missing), (False, 1, ["99"]))

    def test_fetches_without_claims_where_the_server_has_no_room_for_more(self) -> None:
        table, before = cache(), str(self.redis.config_get("quotelock.max-claims")["quotelock.max-claims"])
        self.addCleanup(self.redis.config_set, "quotelock.max-claims", before)
        self.redis.config_set("quotelock.max-claims", 0)
        filled = PriceTables(redis.Redis.from_url(URL)).get_or_fill(table, [1, 2], rows_of)
        self.assertEqual((filled.rows, filled.filled), ([{"price": "2"}, {"price": "4"}], 2))
        self.assertEqual(VehPrice(self.redis).len(table.key), 2)

    def test_options_that_make_no_sense_are_refused(self) -> None:
        for wrong in (0, -1, 1.5, True):
            self.assertRaisesRegex(ValueError, "limit takes a whole number from 1 on", lambda wrong=wrong: FillOptions(limit=wrong))
