<?php
// A lock and its prices with Predis 1: on one server, or by REDIS_MODE in a Cluster or with Sentinel. RESP2 only.
require 'Predis/Autoloader.php';
Predis\Autoloader::register();

const BLOCK_MS = 5000;
const COMMANDS = ['QUOTELOCK.ACQUIRE', 'QUOTELOCK.GET', 'VEHPRICE.CLAIM', 'VEHPRICE.MGET', 'VEHPRICE.MSET', 'VEHPRICE.VERIFY'];

function connect(float $timeout): Predis\Client
{
    $url = parse_url(getenv('REDIS_URL') ?: 'redis://127.0.0.1:6379');
    $node = ['host' => $url['host'], 'port' => $url['port'] ?? 6379];
    $auth = isset($url['pass']) ? ['username' => $url['user'], 'password' => $url['pass']] : [];
    $options = ['parameters' => ['read_write_timeout' => $timeout] + $auth];
    if (getenv('REDIS_MODE') === 'sentinel') {
        return new Predis\Client([$node], ['replication' => 'sentinel', 'service' => 'hermes'] + $options);
    }
    if (getenv('REDIS_MODE') !== 'cluster') {
        return new Predis\Client($node, $options);
    }
    $client = new Predis\Client([$node], ['cluster' => 'redis'] + $options);
    // It refuses an unknown command until it is told where its key is.
    foreach (COMMANDS as $command) {
        $client->getConnection()->getClusterStrategy()->setCommandHandler($command, fn ($command) => $command->getArgument(0));
    }
    return $client;
}

function call(Predis\Client $client, ...$words)
{
    return $client->executeCommand(new Predis\Command\RawCommand($words));
}

// A call that waits blocks its connection for up to BLOCK: it has one of its own, with a longer time-out.
[$redis, $waiting] = [connect(2), connect(BLOCK_MS / 1000 + 1)];

// The rows of these vehicles under a lock. The pod that claims a missing row fetches it; the others wait.
function prices(array $lock, array $ids): array
{
    global $redis, $waiting;
    sort($lock['roleIds'], SORT_STRING);
    $table = "hermes:prices:{{$lock['queryTime']}}:" . implode(',', $lock['roleIds']);
    $moment = (int) (new DateTime($lock['queryTime']))->format('Uv');
    $expires = $moment + 60_000 + 360_000; // align and ttl: when the last lock with this queryTime expires
    for ($tries = 5; $tries > 0; $tries--) {
        $claim = json_decode(call($redis, 'VEHPRICE.CLAIM', $table, 'PX', 5000, 'JSON', 'LIST', json_encode($ids)), true);
        if ($claim['token']) {
            $fetched = json_encode(upstream($claim['claimed']));
            call($redis, 'VEHPRICE.MSET', $table, 'TOKEN', $claim['token'], 'PXAT', $expires, 'JSON', $fetched);
        } elseif ($pending = $claim['pending']) {
            call($waiting, 'VEHPRICE.MGET', $table, 'JSON', 'BLOCK', BLOCK_MS, 'LIST', json_encode($pending));
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
$lock = json_decode(call($redis, 'QUOTELOCK.ACQUIRE', $user, '["3","7"]', '*', 'ALIGN', 60, 'JSON'), true);
[$table, $rows] = prices($lock, ['4711', '4712']);
echo 'map ', implode(',', $lock['roleIds']), ' ', implode(',', array_column($rows, 'pricingId')), "\n";

// Reserving only reads, and compares the price with the one that the user saw.
$held = call($redis, 'QUOTELOCK.GET', $user);
$verified = json_decode(call($redis, 'VEHPRICE.VERIFY', $table, '4711', 'pricingId', $rows[0]['pricingId'], 'JSON'), true);
echo 'reserve ', $verified['verdict'], ' lock as ', array_is_list($held) ? 'list' : 'map', "\n";
