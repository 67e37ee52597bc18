import json, os, redis

r = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
user = "hermes:LockedQuoteInfo:42"


def ask(command, *args):
    return json.loads(r.execute_command(command, user, *args, "JSON"))  # None: no lock


def show(screen, lock):
    print(screen, ",".join(lock["roleIds"]), lock["queryTime"], lock["state"], lock.get("outcome", "-"))


# The map starts a lock or shares the one in force; a vehicle's page does not renew it; reserving only reads.
roles = json.dumps(["3", "7"])
show("map", ask("QUOTELOCK.ACQUIRE", roles, "*"))
show("page", ask("QUOTELOCK.ACQUIRE", roles, "*", "IFMISSING"))
show("reserve", ask("QUOTELOCK.GET"))
