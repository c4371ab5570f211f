-- One atomic change of one stream by its owner: record, parts, index, claims, timeline, feed, counters and the
-- webhook's message, together.
-- KEYS: shared (11), meta, parts, log, meta keys of ghosts
-- ARGV: shared, one change
-- Replies: { written } also when this command was carried out before
--   { lost, gone | older | owner | fence | lease | state | revision, what is there instead }
--   { lapsed }: everything matches, but our lease has run out
--   { key_taken, id } | { path_taken, id }: nothing was changed
-- uses: lib-args lib-check lib-stream
local shared = take_shared()
local stream = { meta = KEYS[12], parts = KEYS[13], log = KEYS[14] }
local change = take_change()

local wrong = unwritable(append_all(writes_of_shared(shared), writes_of_stream(stream)))
if wrong then return wrong end
local refused = refuse_change(shared, stream, change)
if refused then return refused end
apply_change(shared, stream, change)
return { 'written' }
