<?php
// A lock and its prices with phpredis: on one server, or by REDIS_MODE in a Cluster or with Sentinel. RESP2 only.
const BLOCK_MS = 5000;

function connect(float $readTimeout): Redis|RedisCluster
{
    $url = parse_url(getenv('REDIS_URL') ?: 'redis://127.0.0.1:6379');
    [$host, $port] = [$url['host'], $url['port'] ?? 6379];
    $auth = isset($url['pass']) ? [$url['user'], $url['pass']] : null;
    if (getenv('REDIS_MODE') === 'cluster') {
        return new RedisCluster(null, ["$host:$port"], 1, $readTimeout, false, $auth);
    }
    if (getenv('REDIS_MODE') === 'sentinel') {
        [$host, $port] = (new RedisSentinel($host, $port, 1))->getMasterAddrByName('hermes');
    }
    $redis = new Redis();
    $redis->connect($host, $port, 1, null, 0, $readTimeout);
    if ($auth) {
        $redis->auth($auth);
    }
    return $redis;
}

class Client
{
    private Redis|RedisCluster $redis;

    public function __construct(private float $readTimeout)
    {
        $this->redis = connect($readTimeout);
    }

    // nil and an error are both false; only getLastError tells which.
    public function call(string $command, string $key, ...$args)
    {
        $this->redis->clearLastError();
        $reply = $this->redis instanceof RedisCluster
            ? $this->callCluster($key, $command, $key, ...$args)
            : $this->redis->rawCommand($command, $key, ...$args);
        if ($error = $this->redis->getLastError()) {
            throw new RedisException($error);
        }
        return $reply;
    }

    // A Cluster needs the key. rawCommand throws on MOVED and ASK instead of following them: a new client fetches the slots.
    private function callCluster(string $key, ...$words)
    {
        for ($tries = 5; ; $tries--) {
            try {
                return $this->redis->rawCommand($key, ...$words);
            } catch (RedisClusterException $error) {
                if ($tries === 0) {
                    throw $error;
                }
                usleep(100_000);
                $this->redis = connect($this->readTimeout);
            }
        }
    }
}

// A call that waits blocks its connection for up to BLOCK: it has one of its own, with a longer time-out.
[$redis, $waiting] = [new Client(2), new Client(BLOCK_MS / 1000 + 1)];

// The rows of these vehicles under a lock. The pod that claims a missing row fetches it; the others wait.
function prices(array $lock, array $ids): array
{
    global $redis, $waiting;
    sort($lock['roleIds'], SORT_STRING);
    $table = "hermes:prices:{{$lock['queryTime']}}:" . implode(',', $lock['roleIds']);
    $moment = (int) (new DateTime($lock['queryTime']))->format('Uv');
    $expires = $moment + 60_000 + 360_000; // align and ttl: when the last lock with this queryTime expires
    for ($tries = 5; $tries > 0; $tries--) {
        $claim = json_decode($redis->call('VEHPRICE.CLAIM', $table, 'PX', 5000, 'JSON', 'LIST', json_encode($ids)), true);
        if ($claim['token']) {
            $fetched = json_encode(upstream($claim['claimed']));
            $redis->call('VEHPRICE.MSET', $table, 'TOKEN', $claim['token'], 'PXAT', $expires, 'JSON', $fetched);
        } elseif ($pending = $claim['pending']) {
            $waiting->call('VEHPRICE.MGET', $table, 'JSON', 'BLOCK', BLOCK_MS, 'LIST', json_encode($pending));
        } else {
            return [$table, $claim['rows']];
        }
    }
    throw new RuntimeException('no prices');
}

// Stands in for the service that computes prices.
function upstream(array $ids): array
{
    echo 'asked ', implode(',', $ids), "\n";
    return array_fill_keys($ids, ['pricingId' => '571']);
}

// The map creates the lock or shares the one in force, and shows prices under it.
$user = 'hermes:LockedQuoteInfo:' . ($argv[1] ?? '42');
$lock = json_decode($redis->call('QUOTELOCK.ACQUIRE', $user, '["3","7"]', '*', 'ALIGN', 60, 'JSON'), true);
[$table, $rows] = prices($lock, ['4711', '4712']);
echo 'map ', implode(',', $lock['roleIds']), ' ', implode(',', array_column($rows, 'pricingId')), "\n";

// Reserving only reads, and compares the price with the one that the user saw.
$held = $redis->call('QUOTELOCK.GET', $user);
$verified = json_decode($redis->call('VEHPRICE.VERIFY', $table, '4711', 'pricingId', $rows[0]['pricingId'], 'JSON'), true);
echo 'reserve ', $verified['verdict'], ' lock as ', array_is_list($held) ? 'list' : 'map', "\n";
