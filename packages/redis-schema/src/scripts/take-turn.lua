-- Lets one worker at a time deliver the messages of the outbox: takes the turn if it is free, keeps it if this process
-- has it.
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
