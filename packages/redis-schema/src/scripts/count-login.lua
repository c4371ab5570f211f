-- Counts one failed sign-in of an address; the window begins with the first.
-- KEYS: login
-- ARGV: window (ms)
-- Replies: { count, ms until the window ends }
-- uses: lib-check
local wrong = unwritable({ { KEYS[1], 'string', 'INCR', 'PEXPIRE' } })
if wrong then return wrong end
local count = redis.call('INCR', KEYS[1])
if count == 1 or redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { tostring(count), tostring(redis.call('PTTL', KEYS[1])) }
