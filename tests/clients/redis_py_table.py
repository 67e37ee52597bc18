import json, os, redis
from datetime import datetime

r = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
align, ttl_ms, lag_ms = 60, 360_000, 0  # as in ACQUIRE and the settings


# The prices of these vehicles under a lock: what is in its table; the rest is fetched from upstream.
def prices(lock, ids, ask_upstream):
    table = "hermes:prices:{%s}:%s" % (lock["queryTime"], ",".join(sorted(lock["roleIds"])))
    rows = read(table, ids)
    missing = [id for id, row in zip(ids, rows) if row is None]
    if missing:
        fetched = ask_upstream(missing, lock)  # {"4711": {"styleId": …, "pricingId": …}, …}
        moment = datetime.fromisoformat(lock["queryTime"])
        expires = round(moment.timestamp() * 1000) + align * 1000 + lag_ms + ttl_ms
        r.execute_command("VEHPRICE.MSET", table, "NX", "PXAT", expires, "JSON", json.dumps(fetched))
        rows = read(table, ids)  # if several pods filled a row, the first one's stays: show that
    return rows


def read(table, ids):
    return json.loads(r.execute_command("VEHPRICE.MGET", table, "JSON", "LIST", json.dumps(ids)))


# Stands in for the service that computes prices. It knows no vehicle 4799.
def upstream(missing, lock):
    print("asked", ",".join(missing))
    return {id: {"styleId": "12", "pricingId": "571"} for id in missing if id != "4799"}


user = "hermes:LockedQuoteInfo:42"
roles = json.dumps(["3", "7"])
lock = json.loads(r.execute_command("QUOTELOCK.ACQUIRE", user, roles, "*", "ALIGN", align, "JSON"))
print("map", json.dumps(prices(lock, ["4711", "4712", "4799"], upstream), separators=(",", ":")))
print("page", json.dumps(prices(lock, ["4711"], upstream), separators=(",", ":")))
