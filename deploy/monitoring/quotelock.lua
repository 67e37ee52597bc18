-- For redis_exporter's -script: answers what INFO quotelock shows, as names and values in turn.
-- A line of several values, calls=3,sum=70,le_1=0, becomes quotelock_sizes_mget:calls and so on.
local answer = {}

local function add(name, value)
  answer[#answer + 1] = name
  answer[#answer + 1] = value
end

for line in redis.call('INFO', 'quotelock'):gmatch('[^\r\n]+') do
  local name, value = line:match('^(quotelock_[%w_]+):(.+)$')
  if name and tonumber(value) then
    add(name, value)
  elseif name then
    for member, count in value:gmatch('([%w_]+)=(%d+)') do
      add(name .. ':' .. member, count)
    end
  end
end

return answer
