"""Demo load for `make monitoring`: pods that serve users, until they are told to stop. load.py PORT

Users ask for a lock, look at vehicles and book one; pods fetch rows that are missing from an upstream that takes its time, under
claims. Now and then a pod dies with its claims, a row comes too late, a price changes.
"""

import json
import random
import signal
import sys
import threading
import time
from collections.abc import Callable

import redis

USERS = 500
VEHICLES = 4000
A_SCREEN = 200
ROLES = ["3", "7"]

stopped = threading.Event()


def fetched(ids: list[str]) -> str:
    """What upstream answers for these vehicles, after a while."""
    time.sleep(random.uniform(0.02, 0.2))
    return json.dumps({"ids": ids, "fields": ["styleId", "price"], "columns": [["12"] * len(ids), [str(100 + len(i)) for i in ids]]})


def screen(server: redis.Redis) -> None:
    """A user looks at the map."""
    user = f"user:{random.randrange(USERS)}"
    lock = json.loads(
        server.execute_command("QUOTELOCK.ACQUIRE", user, json.dumps(ROLES), "*", "ALIGN", 30, "EX", 90, "BUFFER", 30, "JSON")
    )
    table = f"tags:{{{lock['queryTime']}}}:3"
    ids = [str(number) for number in random.sample(range(VEHICLES), A_SCREEN)]
    claimed = json.loads(
        server.execute_command("VEHPRICE.CLAIM", table, "PX", 1500, "FIELDS", 2, "styleId", "price", "COLUMNS", "LIST", json.dumps(ids))
    )
    if claimed["claimed"]:
        rows = fetched(claimed["claimed"])
        fate = random.random()
        if fate < 0.003:
            return  # the pod died
        if fate < 0.006:
            time.sleep(2)  # too late
        server.execute_command("VEHPRICE.MSET", table, "PX", random.randrange(60_000, 120_000), "TOKEN", claimed["token"], "COLUMNS", rows)
    if claimed["pending"]:
        waited_for = json.dumps(claimed["pending"])
        server.execute_command("VEHPRICE.MGET", table, "FIELDS", 1, "price", "JSON", "BLOCK", 1500, "LIST", waited_for)


def booking(server: redis.Redis) -> None:
    """A user reserves a vehicle."""
    user = f"user:{random.randrange(USERS)}"
    lock = json.loads(server.execute_command("QUOTELOCK.GET", user, "JSON"))
    if lock is None:
        return
    table = f"tags:{{{lock['queryTime']}}}:3"
    vehicle = str(random.randrange(VEHICLES))
    seen = "999" if random.random() < 0.01 else str(100 + len(vehicle))
    server.execute_command("VEHPRICE.VERIFY", table, vehicle, "price", seen, "JSON")
    server.execute_command("PRICEPLAN.ROUTE", "toggle", *server.execute_command("PRICEPLAN.TAG", "toggle", "571"))
    if random.random() < 0.2:
        server.execute_command("QUOTELOCK.DEL", user)


def copying() -> Callable[[redis.Redis], None]:
    """A pod that keeps a copy of a table of its own."""
    revision = "0"

    def copy(server: redis.Redis) -> None:
        nonlocal revision
        rows = {str(random.randrange(1000)): {"plan": str(random.randrange(9))} for _ in range(5)}
        server.execute_command("VEHPRICE.MSET", "rules", "PX", 30_000, "JSON", json.dumps(rows))
        revision = json.loads(server.execute_command("VEHPRICE.CHANGES", "rules", revision, "JSON"))["revision"]
        if random.random() < 0.1:
            server.execute_command("VEHPRICE.GETALL", "rules", "JSON")

    return copy


def pod(port: int, work: Callable[[redis.Redis], None], pause: float) -> None:
    """Works until it is told to stop; more and less with time, as days have rush hours."""
    server = redis.Redis(port=port)
    while not stopped.is_set():
        try:
            work(server)
        except redis.RedisError as error:
            if not stopped.is_set():
                print(f"load: {error}", file=sys.stderr)
        rush = 1 if time.time() % 240 < 120 else 2
        stopped.wait(random.expovariate(1 / (pause * rush)))


def main() -> None:
    """Starts the pods."""
    port = int(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    redis.Redis(port=port).set("toggle", "3")
    works = [(screen, 0.05)] * 6 + [(booking, 0.05)] * 2 + [(copying(), 0.5)]
    pods = [threading.Thread(target=pod, args=(port, work, pause), daemon=True) for work, pause in works]
    for thread in pods:
        thread.start()
    while not stopped.is_set():
        stopped.wait(1)
    for thread in pods:
        thread.join(3)


if __name__ == "__main__":
    main()
