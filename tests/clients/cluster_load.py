"""Load on a Cluster through redis-py: cluster_load.py host:port,… name tag,…  See tests/it/reliability/cluster_load.rs."""
import datetime, json, random, sys, threading, time

from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisError, ResponseError

nodes, name, tags = sys.argv[1:]
nodes = [ClusterNode(*node.split(":")) for node in nodes.split(",")]
cluster = RedisCluster(startup_nodes=nodes, decode_responses=True, socket_timeout=5)

keys = [f"{kind}:{{{tag}}}:{name}" for tag in tags.split(",") for kind in ("user", "prices")]
ids = ["1", "2", "3", "4", "5"]
held = {key: ["nil"] for key in keys}  # What each key has held since the last pause, the newest last.
writes, behind, wrong = 0, 0, []


def send(*words):
    while True:
        try:
            return cluster.execute_command(*words)
        except (RedisError, OSError) as error:
            down = ("CLUSTERDOWN", "TRYAGAIN", "LOADING", "READONLY", "MASTERDOWN")
            if isinstance(error, ResponseError) and not str(error).startswith(down):
                raise
            time.sleep(0.02)


def write(key):
    global writes
    writes += 1
    value = str(writes)
    moment = datetime.datetime.fromtimestamp(1_577_836_800 + writes, datetime.timezone.utc).isoformat()
    is_lock = key.startswith("user:")
    if random.random() < 0.1:
        send("QUOTELOCK.DEL", key) if is_lock else send("VEHPRICE.DEL", key, *ids)
        value = "nil"
    elif is_lock:
        send(random.choice(["QUOTELOCK.SET", "QUOTELOCK.ACQUIRE"]), key, value, moment)
    else:
        send("VEHPRICE.MSET", key, "FIELDS", 1, "price", "ROWS", *(word for id in ids for word in (id, value)))
    held[key].append(value)


def found(key):
    if key.startswith("user:"):
        lock = json.loads(send("QUOTELOCK.GET", key, "JSON"))
        return lock["roleIds"][0] if lock else "nil"
    rows = json.loads(send("VEHPRICE.MGET", key, "JSON", "IDS", *ids))
    return ",".join(sorted({row["price"] if row else "nil" for row in rows}))


def read(key):
    global behind
    value, states = found(key), held[key]
    if value not in states:
        wrong.append(f"{key} holds {value}, not {states[-1]}")
        return
    while states[-1] != value:
        states.pop()
        behind += 1


def load():
    global behind, wrong
    while not paused.is_set():
        key = random.choice(keys)
        random.choice([write, read])(key)
    for key in keys:
        read(key)
        held[key] = held[key][-1:]
    told = json.dumps({"writes": writes, "behind": behind, "wrong": wrong})
    behind, wrong = 0, []
    print(told, flush=True)


paused = threading.Event()
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "go":
        paused.clear()
        threading.Thread(target=load, daemon=True).start()
    else:
        paused.set()
