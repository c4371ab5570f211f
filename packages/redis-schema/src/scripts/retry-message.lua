-- Puts a message that was dropped back into the outbox, once, with its id: receivers recognise a duplicate. Its age
-- counts from now.
-- KEYS: outbox, dropped messages
-- ARGV: now (ms), entries of the outbox, position among the dropped messages
-- Replies: { retried, id } | { absent }
-- uses: lib-args lib-check lib-stream
local now, outbox_cap, position = take(), take(), take()

local wrong = unwritable({ { KEYS[1], 'stream', 'XADD' }, { KEYS[2], 'stream', 'XDEL' } })
if wrong then return wrong end
local entry = redis.call('XRANGE', KEYS[2], position, position)[1]
if not entry then return { 'absent' } end
local message = {}
for i = 1, #entry[2], 2 do message[entry[2][i]] = entry[2][i + 1] end
redis.call('XDEL', KEYS[2], position)
if not (message.id and message.event and message.body and message.subject) then return { 'absent' } end
add_message(KEYS[1], outbox_cap, now, message.subject, { message.id, message.event, message.body })
return { 'retried', message.id }
