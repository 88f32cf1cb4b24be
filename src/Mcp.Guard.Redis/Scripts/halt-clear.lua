-- Ends a stop and tells every host. KEYS: epoch, stops. ARGV: fresh, expected, known, scope, channel.
local id, lost = epoch(KEYS[1], ARGV[3])
local cleared = redis.call('HDEL', KEYS[2], ARGV[4])
redis.call('PUBLISH', ARGV[5], 'clear')
return { id, lost and 1 or 0, cleared }
