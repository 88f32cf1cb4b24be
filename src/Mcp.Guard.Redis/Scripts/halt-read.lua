-- Reads the stops. KEYS: epoch, stops. ARGV: fresh, expected, known.
local id, lost = epoch(KEYS[1], ARGV[3])
return { id, lost and 1 or 0, redis.call('HVALS', KEYS[2]) }
