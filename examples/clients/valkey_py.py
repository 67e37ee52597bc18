"""A lock and its prices with valkey-py: on one server, or by REDIS_MODE in a Cluster or with Sentinel."""

import json
import os
import sys
from datetime import datetime
from urllib.parse import urlparse

import valkey
from valkey.sentinel import Sentinel

MODE = os.environ.get("REDIS_MODE")
URL = urlparse(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
BLOCK_MS = 5000


def connect(timeout):
    options = {"username": URL.username, "password": URL.password, "socket_timeout": timeout}
    options["protocol"] = int(os.environ.get("RESP", "2"))
    if MODE == "sentinel":
        return Sentinel([(URL.hostname, URL.port)]).master_for("hermes", **options)
    client = valkey.RedisCluster if MODE == "cluster" else valkey.Redis
    return client(host=URL.hostname, port=URL.port, **options)


# A call that waits blocks its connection for up to BLOCK: it has a pool of its own, with a longer time-out.
db, waiting = connect(2), connect(BLOCK_MS / 1000 + 1)


# The rows of these vehicles under a lock. The pod that claims a missing row fetches it; the others wait.
def prices(lock, ids):
    roles = ",".join(sorted(lock["roleIds"]))
    table = f"hermes:prices:{{{lock['queryTime']}}}:{roles}"
    moment = round(datetime.fromisoformat(lock["queryTime"]).timestamp() * 1000)
    expires = moment + 60_000 + 360_000  # align and ttl: when the last lock with this queryTime expires
    for _ in range(5):
        args = ("PX", 5000, "JSON", "LIST", json.dumps(ids))
        claim = json.loads(db.execute_command("VEHPRICE.CLAIM", table, *args))
        if claim["token"]:
            fetched = json.dumps(upstream(claim["claimed"]))
            db.execute_command("VEHPRICE.MSET", table, "TOKEN", claim["token"], "PXAT", expires, "JSON", fetched)
        elif pending := claim["pending"]:
            waiting.execute_command("VEHPRICE.MGET", table, "JSON", "BLOCK", BLOCK_MS, "LIST", json.dumps(pending))
        else:
            return table, claim["rows"]
    raise RuntimeError("no prices")


# Stands in for the service that computes prices.
def upstream(ids):
    print("asked", ",".join(ids))
    return {id: {"pricingId": "571"} for id in ids}


# The map creates the lock or shares the one in force, and shows prices under it.
user = "hermes:LockedQuoteInfo:" + (sys.argv[1] if len(sys.argv) > 1 else "42")
lock = json.loads(db.execute_command("QUOTELOCK.ACQUIRE", user, '["3","7"]', "*", "ALIGN", 60, "JSON"))
table, rows = prices(lock, ["4711", "4712"])
print("map", ",".join(lock["roleIds"]), ",".join(row["pricingId"] for row in rows))

# Reserving only reads, and compares the price with the one that the user saw.
held = db.execute_command("QUOTELOCK.GET", user)
verified = db.execute_command("VEHPRICE.VERIFY", table, "4711", "pricingId", rows[0]["pricingId"], "JSON")
print("reserve", json.loads(verified)["verdict"], "lock as", "map" if isinstance(held, dict) else "list")
