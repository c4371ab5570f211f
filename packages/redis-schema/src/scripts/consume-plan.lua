-- Starts a plan, once: the first execution gets it and may repeat the call.
-- KEYS: plan
-- ARGV: token of the execution
-- Replies: { plan, { field, value, … } } also when this command was carried out before | { consumed } | { absent }
-- uses: lib-check
local wrong = unwritable({ { KEYS[1], 'hash', 'HSET' } })
if wrong then return wrong end
if redis.call('EXISTS', KEYS[1]) == 0 then return { 'absent' } end
local by = redis.call('HGET', KEYS[1], 'consumed_by')
if by and by ~= ARGV[1] then return { 'consumed' } end
redis.call('HSET', KEYS[1], 'consumed_by', ARGV[1])
return { 'plan', redis.call('HGETALL', KEYS[1]) }
