-- Removes the records of one completed stream whose history has expired.
-- KEYS: meta, parts, log, four indexes, events
-- ARGV: id, now (ms), entries of the feed, place of the index of completed streams, newest time of entering that goes
--   (ms), list of statuses that count as completed, event detail
-- Replies: { pruned } | { absent }: also when this command was carried out before | { kept }
-- uses: lib-args lib-check lib-stream
local id, now, events_cap, completed_at, until_ms = take(), take(), take(), tonumber(take()), tonumber(take())
local completed, detail = take_list(), take()
local indexes = { KEYS[4], KEYS[5], KEYS[6], KEYS[7] }

local writes = append_all(writes_of_indexes(indexes), removals(KEYS[1], KEYS[2], KEYS[3]))
local wrong = unwritable(append_all(writes, { { KEYS[8], 'stream', 'XADD' } }))
if wrong then return wrong end
local entered = redis.call('ZSCORE', indexes[completed_at], id)
if not entered then return { 'absent' } end
local kind = redis.call('TYPE', KEYS[1]).ok
local status = kind == 'hash' and redis.call('HGET', KEYS[1], 'status') or ''
if tonumber(entered) > until_ms or (kind == 'hash' and not has(completed, status)) then return { 'kept' } end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
place(indexes, id, 0, 0, false)
append_event(KEYS[8], events_cap, now, 'removed', id, status, detail, '')
return { 'pruned' }
