"""On the Cluster at REDIS_CLUSTER_URL, which the tests of the module start: each command finds its node."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from unittest import IsolatedAsyncioTestCase

import redis.asyncio.cluster
import redis.cluster
import valkey.cluster

from quotelock import PricePlan, PriceTableCopies, PriceTables, QuoteLock, VehPrice
from quotelock.asyncio import PriceTables as AsyncTables
from quotelock.asyncio import QuoteLock as AsyncLocks

from .test_fill import cache, rows_of

URL = os.environ["REDIS_CLUSTER_URL"]


class Cluster(IsolatedAsyncioTestCase):
    def test_each_command_finds_its_node(self) -> None:
        drivers: list[Any] = [
            redis.cluster.RedisCluster.from_url(URL, protocol=2),
            redis.cluster.RedisCluster.from_url(URL, protocol=3, decode_responses=True),
            valkey.cluster.ValkeyCluster.from_url(URL),
        ]
        for driver in drivers:
            locks, prices, copies = QuoteLock(driver), VehPrice(driver), PriceTableCopies(driver, max_bytes=1_000_000)
            for _ in range(20):
                table = cache()
                self.assertEqual(locks.acquire(table.key + ":lock", ["3"]).outcome, "Created")
                filled = PriceTables(driver).get_or_fill(table, [1, 99], rows_of)
                self.assertEqual((filled.rows, filled.missing), ([{"price": "2"}, None], ["99"]))
                self.assertEqual(copies.of(table.key).row(1), {"price": "2"})
                self.assertEqual(prices.mget_hash([f"{{{table.key}}}:a", f"{{{table.key}}}:b"]), [None, None])
                self.assertEqual(PricePlan(driver, table.key + ":toggle").tag([571]), ["571_old"])
                token = prices.claim(table.key, [2], ttl_ms=60_000).token
                self.assertEqual(prices.mget(table.key, [2], block_ms=120), [None])
                self.assertEqual(prices.release(table.key, token or ""), 1)
                self.assertTrue(prices.clear(table.key))
            driver.close()

    async def test_with_asyncio_too(self) -> None:
        cluster = redis.asyncio.cluster.RedisCluster.from_url(URL)
        locks = AsyncLocks(cluster)
        # redis-py's asyncio Cluster fails some of the calls that come before it knows its nodes, plain SET too.
        self.assertIsNone(await locks.get("user"))
        found = await asyncio.gather(*(locks.acquire(f"{cache().key}:{user}", ["3"]) for user in range(30)))
        self.assertEqual({lock.outcome for lock in found}, {"Created"})
        filled = await AsyncTables(cluster).get_or_fill(cache(), [1], lambda ids: asyncio.sleep(0, rows_of(ids)))
        self.assertEqual(filled.rows, [{"price": "2"}])
        await cluster.aclose()
