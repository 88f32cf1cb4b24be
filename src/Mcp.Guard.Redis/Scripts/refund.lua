-- Takes back a charge where nobody charged the cell since; where somebody did, the permit is lost rather than given twice.
-- KEYS: cell. ARGV: fresh, expected, the cell after the charge, the cell before it.
if redis.call('GET', KEYS[1]) ~= ARGV[3] then
  return 0
end
if ARGV[4] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[4], 'KEEPTTL')
end
return 1
