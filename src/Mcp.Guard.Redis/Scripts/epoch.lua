-- Makes or checks the epoch of one shard. KEYS: epoch. ARGV: fresh, expected, known.
local id, lost = epoch(KEYS[1], ARGV[3])
return { id, lost and 1 or 0 }
