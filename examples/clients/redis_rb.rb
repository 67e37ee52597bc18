# A lock and its prices with redis-rb 4: on one server, or by REDIS_MODE in a Cluster or with Sentinel. RESP2 only.
require 'json'
require 'redis'
require 'time'

URL = URI(ENV.fetch('REDIS_URL', 'redis://127.0.0.1:6379'))
BLOCK_MS = 5000

def connect(timeout)
  options = { username: URL.user, password: URL.password, timeout: timeout }
  node = { host: URL.host, port: URL.port }
  case ENV['REDIS_MODE']
  when 'cluster' then Redis.new(cluster: [node], **options)
  when 'sentinel' then Redis.new(url: 'redis://hermes', sentinels: [node], **options)
  else Redis.new(**node, **options)
  end
end

# A call that waits blocks its connection for up to BLOCK: it has one of its own, with a longer time-out.
REDIS = connect(2)
WAITING = connect(BLOCK_MS / 1000 + 1)

# The rows of these vehicles under a lock. The pod that claims a missing row fetches it; the others wait.
# In a Cluster a command finds the node of its key only if its name is in lower case.
def prices(lock, ids)
  table = "hermes:prices:{#{lock['queryTime']}}:#{lock['roleIds'].sort.join(',')}"
  moment = (Time.iso8601(lock['queryTime']).to_r * 1000).to_i
  expires = moment + 60_000 + 360_000 # align and ttl: when the last lock with this queryTime expires
  5.times do
    claim = JSON.parse(REDIS.call('vehprice.claim', table, 'PX', 5000, 'JSON', 'LIST', ids.to_json))
    if claim['token']
      fetched = upstream(claim['claimed']).to_json
      REDIS.call('vehprice.mset', table, 'TOKEN', claim['token'], 'PXAT', expires, 'JSON', fetched)
    elsif claim['pending'].any?
      WAITING.call('vehprice.mget', table, 'JSON', 'BLOCK', BLOCK_MS, 'LIST', claim['pending'].to_json)
    else
      return table, claim['rows']
    end
  end
  raise 'no prices'
end

# Stands in for the service that computes prices.
def upstream(ids)
  puts "asked #{ids.join(',')}"
  ids.to_h { |id| [id, { pricingId: '571' }] }
end

# The map creates the lock or shares the one in force, and shows prices under it.
user = "hermes:LockedQuoteInfo:#{ARGV.fetch(0, '42')}"
lock = JSON.parse(REDIS.call('quotelock.acquire', user, '["3","7"]', '*', 'ALIGN', 60, 'JSON'))
table, rows = prices(lock, %w[4711 4712])
puts "map #{lock['roleIds'].join(',')} #{rows.map { |row| row['pricingId'] }.join(',')}"

# Reserving only reads, and compares the price with the one that the user saw.
held = REDIS.call('quotelock.get', user)
verified = REDIS.call('vehprice.verify', table, '4711', 'pricingId', rows[0]['pricingId'], 'JSON')
puts "reserve #{JSON.parse(verified)['verdict']} lock as #{held.is_a?(Hash) ? 'map' : 'list'}"
