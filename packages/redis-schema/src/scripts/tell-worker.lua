-- Puts into the outbox what became of a worker or a watch, once: what was told stays noted under `field` with `value`.
-- An empty value ends it, and tells so only where it was told.
-- KEYS: outbox, told
-- ARGV: now (ms), entries of the outbox, subject, field, value, list: what to tell (empty: nothing)
-- Replies: { told } | { known }
-- uses: lib-args lib-check lib-stream
local now, outbox_cap, subject, field, value = take(), take(), take(), take(), take()
local message = take_list()

local wrong = unwritable({ { KEYS[1], 'stream', 'XADD' }, { KEYS[2], 'hash', 'HSET', 'HDEL' } })
if wrong then return wrong end
local before = redis.call('HGET', KEYS[2], field) or ''
if before == value then return { 'known' } end
if value == '' then redis.call('HDEL', KEYS[2], field) else redis.call('HSET', KEYS[2], field, value) end
add_message(KEYS[1], outbox_cap, now, subject, message)
return { 'told' }
