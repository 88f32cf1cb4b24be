-- Remembers a grant or refusal. KEYS: epoch, grants of this target and user, grants of the user.
-- ARGV: fresh, expected, known, grant id, entry (see consent-take), expiry in milliseconds, most grants of a user, name of the target's key.
local id, lost = epoch(KEYS[1], ARGV[3])
local milliseconds = divide(now, 1000)
if redis.call('HEXISTS', KEYS[3], ARGV[4]) == 1 then
  return { id, lost and 1 or 0, 'known' }
end
if redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[7]) then
  local mine = redis.call('HGETALL', KEYS[3])
  for i = 1, #mine, 2 do
    if tonumber(string.sub(mine[i + 1], 1, 15)) <= milliseconds then
      redis.call('HDEL', KEYS[3], mine[i])
      redis.call('HDEL', KEYS[2], mine[i])
    end
  end
  if redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[7]) then
    return { id, lost and 1 or 0, 'full' }
  end
end
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])
redis.call('HSET', KEYS[3], ARGV[4], string.sub(ARGV[5], 20, 34) .. ARGV[8])
local life = math.max(tonumber(ARGV[6]) - milliseconds, 0) + 3600000
for i = 2, 3 do
  if redis.call('PTTL', KEYS[i]) < life then
    redis.call('PEXPIRE', KEYS[i], whole(life))
  end
end
return { id, lost and 1 or 0, 'added' }
