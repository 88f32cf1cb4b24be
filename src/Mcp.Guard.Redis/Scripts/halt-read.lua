-- Reads the stops and their version, which orders reads of one epoch. KEYS: epoch, stops. ARGV: fresh, expected, known.
local id, lost = epoch(KEYS[1], ARGV[3])
return { id, lost and 1 or 0, redis.call('HVALS', KEYS[2]), tonumber(redis.call('HGET', KEYS[1], 'halts')) or 0 }
