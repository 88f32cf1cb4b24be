-- Writes the pins of a server where nobody wrote since they were read. KEYS: epoch, pins. ARGV: fresh, expected, known, version that was read, new version, JSON.
local id, lost = epoch(KEYS[1], ARGV[3])
if (redis.call('HGET', KEYS[2], 'version') or '0') ~= ARGV[4] then
  return { id, lost and 1 or 0, 0 }
end
redis.call('HSET', KEYS[2], 'version', ARGV[5], 'json', ARGV[6])
return { id, lost and 1 or 0, 1 }
