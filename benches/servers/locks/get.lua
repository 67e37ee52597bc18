-- What QUOTELOCK.GET key JSON does.
local lock = read(KEYS[1])
return lock and cjson.encode(lock) or 'null'
