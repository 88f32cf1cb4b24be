-- Finds the grant of a call; one for a single use is removed in the same step, and a refusal wins over every grant.
-- KEYS: epoch, grants of this target and user, grants of the user. ARGV: fresh, expected, known, the moment, and the digests of fingerprint, arguments,
-- session and policy. An entry: expiry in ticks (19), expiry in milliseconds (15), flags (4), four digests (64 each), the grant as JSON.
local id, lost = epoch(KEYS[1], ARGV[3])
local entries = redis.call('HGETALL', KEYS[2])
local found, foundId, foundOnce
for i = 1, #entries, 2 do
  local e = entries[i + 1]
  local refusal, once = string.sub(e, 35, 35) == '1', string.sub(e, 36, 36) == '1'
  local covers = ARGV[4] < string.sub(e, 1, 19)
    and (string.sub(e, 37, 37) == '1' or string.sub(e, 103, 166) == ARGV[6])
    and (string.sub(e, 38, 38) == '1' or string.sub(e, 167, 230) == ARGV[7])
  if covers and refusal then
    return { id, lost and 1 or 0, string.sub(e, 295) }
  end
  if covers and string.sub(e, 39, 102) == ARGV[5] and string.sub(e, 231, 294) == ARGV[8] and (not found or (foundOnce and not once)) then
    found, foundId, foundOnce = e, entries[i], once
  end
end
if not found then
  return { id, lost and 1 or 0, false }
end
if foundOnce then
  redis.call('HDEL', KEYS[2], foundId)
  redis.call('HDEL', KEYS[3], foundId)
end
return { id, lost and 1 or 0, string.sub(found, 295) }
