-- What QUOTELOCK.ACQUIRE key roleIds queryTime JSON does.
local lock, outcome = read(KEYS[1]), 'Held'
if not lock or lock.state == 'CloseToExpired' then
  outcome = lock and 'Refreshed' or 'Created'
  local roles = cjson.decode(ARGV[1])
  redis.call('SET', KEYS[1], cjson.encode({roleIds = roles, queryTime = ARGV[2]}), 'EX', 360)
  lock = {roleIds = roles, queryTime = ARGV[2], state = 'Effective'}
end
lock.outcome = outcome
return cjson.encode(lock)
