"""A lock and its prices with Valkey GLIDE: on one server, or by REDIS_MODE in a Cluster. It does not support Sentinel."""

import asyncio
import json
import os
import sys
from datetime import datetime
from urllib.parse import urlparse

import glide

URL = urlparse(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
BLOCK_MS = 5000


async def connect(request_timeout):
    options = {"addresses": [glide.NodeAddress(URL.hostname, URL.port)], "request_timeout": request_timeout}
    options["protocol"] = glide.ProtocolVersion["RESP" + os.environ.get("RESP", "3")]
    if URL.password:
        options["credentials"] = glide.ServerCredentials(URL.password, URL.username)
    if os.environ.get("REDIS_MODE") == "cluster":
        return await glide.GlideClusterClient.create(glide.GlideClusterClientConfiguration(**options))
    return await glide.GlideClient.create(glide.GlideClientConfiguration(**options))


async def call(client, *words):
    return await client.custom_command([str(word) for word in words])


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
    # No call may take longer than the request_timeout, 250 ms by default: one that waits has a connection of its own, with a
    # longer one.
    db, waiting = await connect(2000), await connect(BLOCK_MS + 1000)

    # The map creates the lock or shares the one in force, and shows prices under it.
    user = "hermes:LockedQuoteInfo:" + (sys.argv[1] if len(sys.argv) > 1 else "42")
    lock = json.loads(await call(db, "QUOTELOCK.ACQUIRE", user, '["3","7"]', "*", "ALIGN", 60, "JSON"))
    table, rows = await prices(db, waiting, lock, ["4711", "4712"])
    print("map", ",".join(lock["roleIds"]), ",".join(row["pricingId"] for row in rows))

    # Reserving only reads, and compares the price with the one that the user saw.
    held = await call(db, "QUOTELOCK.GET", user)
    verified = await call(db, "VEHPRICE.VERIFY", table, "4711", "pricingId", rows[0]["pricingId"], "JSON")
    print("reserve", json.loads(verified)["verdict"], "lock as", "map" if isinstance(held, dict) else "list")
    await db.close()
    await waiting.close()


asyncio.run(main())
