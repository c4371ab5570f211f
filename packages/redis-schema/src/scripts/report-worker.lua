-- Puts a condition of a worker or a watch into the outbox, once: `value` is noted under `field` until the condition is over.
-- An empty value ends it, and is reported only if the condition was.
-- KEYS: outbox, noted conditions
-- ARGV: now (ms), entries of the outbox, subject, field, value, list: the message (empty: none)
-- Replies: { reported } | { known }
-- uses: lib-args lib-check lib-stream
local now, outbox_cap, subject, field, value = take(), take(), take(), take(), take()
local message = take_list()

local wrong = unwritable({ { KEYS[1], 'stream', 'XADD' }, { KEYS[2], 'hash', 'HSET', 'HDEL' } })
if wrong then return wrong end
local before = redis.call('HGET', KEYS[2], field) or ''
if before == value then return { 'known' } end
if value == '' then redis.call('HDEL', KEYS[2], field) else redis.call('HSET', KEYS[2], field, value) end
add_message(KEYS[1], outbox_cap, now, subject, message)
return { 'reported' }
