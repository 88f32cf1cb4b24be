-- Forgets a grant. KEYS: grants of its target and user, grants of the user. ARGV: fresh, expected, grant id.
redis.call('HDEL', KEYS[2], ARGV[3])
return redis.call('HDEL', KEYS[1], ARGV[3])
