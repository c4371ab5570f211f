-- Adds a message to the outbox that a stream is stalled, if it still is as its owner saw it: without progress
-- meanwhile.
-- KEYS: lease, meta, outbox
-- ARGV: nonce, worker, now (ms), entries of the outbox, id, fence, last_activity_at_utc as seen, list: the message
-- Replies: { reported } | { changed } | { lapsed } | { lost, lease, '' }
-- uses: lib-args lib-check lib-stream
local nonce, worker, now, outbox_cap = take(), take(), take(), take()
local id, fence, seen, message = take(), take(), take(), take_list()

local wrong = unwritable({ { KEYS[1], 'hash' }, { KEYS[2], 'hash' }, { KEYS[3], 'stream', 'XADD' } })
if wrong then return wrong end
local refused = refuse_lease(KEYS[1], nonce)
if refused then return refused end
local owner, now_fence, activity = unpack(redis.call('HMGET', KEYS[2], 'owner', 'fence', 'last_activity_at_utc'))
if owner ~= worker or now_fence ~= fence or activity ~= seen then return { 'changed' } end
add_message(KEYS[3], outbox_cap, now, id, message)
return { 'reported' }
