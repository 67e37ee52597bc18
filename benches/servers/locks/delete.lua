-- What QUOTELOCK.DEL key IFEQ queryTime does.
local stored = redis.call('GET', KEYS[1])
if stored and cjson.decode(stored).queryTime == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
