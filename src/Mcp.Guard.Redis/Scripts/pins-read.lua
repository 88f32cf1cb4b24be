-- Reads the pins of a server. KEYS: epoch, pins. ARGV: fresh, expected, known.
local id, lost = epoch(KEYS[1], ARGV[3])
return { id, lost and 1 or 0, redis.call('HGET', KEYS[2], 'json') }
