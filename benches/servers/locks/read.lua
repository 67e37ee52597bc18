-- Reads a lock, if it is one, and tells its age by the server's clock.
local floor = math.floor
local function read(key)
  local stored = redis.call('GET', key)
  if not stored then return nil end
  local lock = cjson.decode(stored)

  local year, month, day, hour, minute, second, fraction, offset =
      string.match(lock.queryTime, '^(%d+)-(%d+)-(%d+)[Tt](%d+):(%d+):(%d+)(%.?%d*)(.+)$')
  -- Days since 1970, in years that begin in March.
  local y, m = tonumber(year), month - 3
  if m < 0 then y, m = y - 1, m + 12 end
  local leap_days = floor(y / 4) - floor(y / 100) + floor(y / 400)
  local days = 365 * y + leap_days + floor((153 * m + 2) / 5) + day - 719469
  local moment = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000
  -- A binary fraction may be a little less than the decimal one it stands for.
  if fraction ~= '' then moment = moment + floor(('0' .. fraction) * 1000 + 1e-6) end
  if offset ~= 'Z' and offset ~= 'z' then
    local sign, hours, minutes = string.match(offset, '^([+-])(%d%d):(%d%d)$')
    moment = moment - (sign .. 1) * (hours * 60 + minutes) * 60000
  end

  local clock = redis.call('TIME')
  local age = (clock[1] * 1000 + floor(clock[2] / 1000) - moment) / 1000
  age = age < 0 and math.ceil(age) or floor(age)
  local ttl = lock.ttlMs or 360000
  local buffer = math.min(lock.bufferMs or 60000, ttl)
  local state = age * 1000 > ttl - buffer and 'CloseToExpired' or 'Effective'
  return {roleIds = lock.roleIds, queryTime = lock.queryTime, state = state}
end
