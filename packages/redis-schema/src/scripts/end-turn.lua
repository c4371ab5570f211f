-- Releases the turn of delivering, if this process has it.
-- KEYS: turn
-- ARGV: nonce
-- Replies: { ended } | { not_ours }
-- uses: lib-args lib-check
local wrong = unwritable({ { KEYS[1], 'string', 'DEL' } })
if wrong then return wrong end
if redis.call('GET', KEYS[1]) ~= take() then return { 'not_ours' } end
redis.call('DEL', KEYS[1])
return { 'ended' }
