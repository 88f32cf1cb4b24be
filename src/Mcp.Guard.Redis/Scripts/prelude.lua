-- Put before every script. Each shard has an epoch, made with the shard's first use: a random id, the moment, and whether data was lost.
-- A host passes the id that it knows. Where the epoch is gone, or is another one, the store was emptied, and the shard is marked so for good.
local fresh, expected = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local function whole(number)
  return string.format('%.0f', number)
end

-- Exact for all whole numbers below 2^53, where a plain division may round up.
local function divide(number, by)
  return (number - math.fmod(number, by)) / by
end

local function epoch(key, known)
  local e = redis.call('HMGET', key, 'id', 'at', 'lost')
  if not e[1] then
    local lost = (known ~= '' or expected == '1') and '1' or '0'
    redis.call('HSET', key, 'id', fresh, 'at', whole(now), 'lost', lost)
    return fresh, lost == '1', now
  end
  if e[3] ~= '1' and known ~= '' and known ~= e[1] then
    redis.call('HSET', key, 'lost', '1')
    e[3] = '1'
  end
  return e[1], e[3] == '1', tonumber(e[2])
end
