-- Ends a stop and tells every host. KEYS: epoch, stops. ARGV: fresh, expected, known, scope, channel.
local id, lost = epoch(KEYS[1], ARGV[3])
local cleared = redis.call('HDEL', KEYS[2], ARGV[4])
local version = cleared == 1 and redis.call('HINCRBY', KEYS[1], 'halts', 1) or tonumber(redis.call('HGET', KEYS[1], 'halts')) or 0
redis.call('PUBLISH', ARGV[5], 'clear')
return { id, lost and 1 or 0, cleared, version }
