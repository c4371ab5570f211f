-- One worker at a time delivers what the outbox holds: takes the turn when it is free, keeps it when it is ours.
-- KEYS: turn
-- ARGV: nonce, ms the turn lasts
-- Replies: { ours } | { held }
-- uses: lib-args lib-check
local nonce, ms = take(), take()
local wrong = unwritable({ { KEYS[1], 'string', 'SET' } })
if wrong then return wrong end

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= nonce then return { 'held' } end
redis.call('SET', KEYS[1], nonce, 'PX', ms)
return { 'ours' }
