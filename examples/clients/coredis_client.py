"""A lock and its prices with coredis: on one server, or by REDIS_MODE in a Cluster or with Sentinel. RESP3 only."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlparse

import coredis
from coredis.typing import Key

MODE = os.environ.get("REDIS_MODE")
URL = urlparse(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
BLOCK_MS = 5000


@asynccontextmanager
async def connect(stream_timeout):
    options = {"username": URL.username, "password": URL.password, "stream_timeout": stream_timeout}
    if MODE == "sentinel":
        sentinel = coredis.Sentinel([(URL.hostname, URL.port)])
        async with sentinel, sentinel.primary_for("hermes", **options) as client:
            yield client
    else:
        kind = coredis.RedisCluster if MODE == "cluster" else coredis.Redis
        async with kind(URL.hostname, URL.port, **options) as client:
            yield client


# In a Cluster a call goes to the node of its Key.
async def call(client, command, key, *args):
    words = [str(arg) for arg in args]
    return await client.create_request(command.encode(), Key(key), *words, callback=lambda reply: reply)


# The rows of these vehicles under a lock. The pod that claims a missing row fetches it; the others wait.
async def prices(db, waiting, lock, ids):
    roles = ",".join(sorted(lock["roleIds"]))
    table = f"hermes:prices:{{{lock['queryTime']}}}:{roles}"
    moment = round(datetime.fromisoformat(lock["queryTime"]).timestamp() * 1000)
    expires = moment + 60_000 + 360_000  # align and ttl: when the last lock with this queryTime expires
    for _ in range(5):
        claim = json.loads(await call(db, "VEHPRICE.CLAIM", table, "PX", 5000, "JSON", "LIST", json.dumps(ids)))
        if claim["token"]:
            fetched = json.dumps(upstream(claim["claimed"]))
            await call(db, "VEHPRICE.MSET", table, "TOKEN", claim["token"], "PXAT", expires, "JSON", fetched)
        elif pending := claim["pending"]:
            await call(waiting, "VEHPRICE.MGET", table, "JSON", "BLOCK", BLOCK_MS, "LIST", json.dumps(pending))
        else:
            return table, claim["rows"]
    raise RuntimeError("no prices")


# Stands in for the service that computes prices.
def upstream(ids):
    print("asked", ",".join(ids))
    return {id: {"pricingId": "571"} for id in ids}


async def main():
    # Concurrent calls share a connection, and one that waits blocks the others: it has a client of its own, with a longer time-out.
    async with connect(2) as db, connect(BLOCK_MS / 1000 + 1) as waiting:
        # The map creates the lock or shares the one in force, and shows prices under it.
        user = "hermes:LockedQuoteInfo:" + (sys.argv[1] if len(sys.argv) > 1 else "42")
        lock = json.loads(await call(db, "QUOTELOCK.ACQUIRE", user, '["3","7"]', "*", "ALIGN", 60, "JSON"))
        table, rows = await prices(db, waiting, lock, ["4711", "4712"])
        print("map", ",".join(lock["roleIds"]), ",".join(row["pricingId"] for row in rows))

        # Reserving only reads, and compares the price with the one that the user saw.
        held = await call(db, "QUOTELOCK.GET", user)
        verified = await call(db, "VEHPRICE.VERIFY", table, "4711", "pricingId", rows[0]["pricingId"], "JSON")
        print("reserve", json.loads(verified)["verdict"], "lock as", "map" if isinstance(held, dict) else "list")


asyncio.run(main())
