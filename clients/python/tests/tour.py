import os

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from quotelock import LockedQuoteInfo, Outage, PricePlan, PriceTables, Seen, ServerError, Timing

client = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
timing = Timing(ttl_ms=360_000, align_ms=60_000, lag_ms=0)  # as the server's settings
locks, tables = LockedQuoteInfo(client), PriceTables(client)
plans = PricePlan(client, "hermes:pricingReleaseToggle")


# Stands in for the service that computes prices. It knows no vehicle 4799.
def upstream(ids: list[str]) -> dict[str, dict[str, str]]:
    return {id: {"styleId": "12", "pricingId": "571"} for id in ids if id != "4799"}


# The map starts the user's lock, or shares the one in force.
lock = locks.acquire("42", ["3", "7"], **timing.lock_options)
print("map:", lock.role_ids, lock.state, lock.outcome)

# Prices of that queryTime and these roles are in one table, and outlive every lock on it. What is missing is fetched by one pod.
table = timing.table(lock, "hermes:prices", lock.role_ids)
filled = tables.get_or_fill(table, ["4711", "4799"], upstream, fields=["styleId", "pricingId"])
print("map:", filled.rows, filled.missing)

# A plan's id is sent with the tag of old pricing, until a toggle says otherwise.
[plan_id] = plans.tag(["571"])
print("map:", plan_id, plans.route([plan_id]))

# Reserving only reads the lock, and compares the price with what the user saw.
for user, pricing_id in (("42", "571"), ("42", "570"), ("43", "571")):
    seen = Seen(lock.query_time, {"pricingId": pricing_id})
    reserved = tables.reserve(locks.get_by_id(user), lambda _: table, "4711", seen, upstream)
    print("reserve:", reserved.verdict, reserved.row)

# What the server refuses says why.
try:
    locks.acquire("42", [""])
except ServerError as error:
    print(error.reason, "-", error)

# While Redis is down a screen goes on with upstream alone, at the queryTime that the app sent back.
away, outage = redis.Redis(port=1, retry=Retry(NoBackoff(), 0)), Outage()
held = outage.run(
    lambda: LockedQuoteInfo(away).acquire("42", ["3", "7"], **timing.lock_options),
    lambda: timing.unlocked(["3", "7"], seen=lock.query_time),
)
beside = timing.table(held, "hermes:prices", held.role_ids)
down = PriceTables(away, outage=outage).get_or_fill(beside, ["4711"], upstream)
print("down:", held.query_time == lock.query_time, down.rows, down.locked)
