-- Sets a stop and tells every host. KEYS: epoch, stops. ARGV: fresh, expected, known, scope, stop as JSON, most stops, channel.
local id, lost = epoch(KEYS[1], ARGV[3])
if redis.call('HEXISTS', KEYS[2], ARGV[4]) == 0 and redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[6]) then
  return { id, lost and 1 or 0, 0, 0 }
end
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])
local version = redis.call('HINCRBY', KEYS[1], 'halts', 1)
redis.call('PUBLISH', ARGV[7], 'set')
return { id, lost and 1 or 0, 1, version }
