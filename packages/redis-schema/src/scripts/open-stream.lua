-- Creates a stream and takes its path; the last write of a replaced stream is part of the same step.
-- KEYS: shared (11), meta, parts, log, [meta, parts, log of the replaced stream,] meta keys of ghosts
-- ARGV: shared, the new stream's change (fence and revision as created), '1' or '0': a replaced stream follows, [its change,]
--   list: nothing, or the stream id of the files:done entry the caller knows at the path ('' for none)
-- Replies: { opened } also when this command was carried out before
--   { taken, id }: the path has a stream | { done, entry }: the file was completed by a stream the caller does not know
--   { lost, in_use, '' }: the new id has a record already; { lost, … }, { lapsed }, { key_taken, id }: as write-stream
-- uses: lib-args lib-check lib-stream
local shared = take_shared()
local stream = { meta = KEYS[12], parts = KEYS[13], log = KEYS[14] }
local change = take_change()
local old, old_change
if take() == '1' then
  old = { meta = KEYS[15], parts = KEYS[16], log = KEYS[17] }
  old_change = take_change()
end
local known = take_list()

local writes = append_all(writes_of_shared(shared), writes_of_stream(stream))
if old then append_all(writes, writes_of_stream(old)) end
local wrong = unwritable(writes)
if wrong then return wrong end
if redis.call('HGET', stream.meta, 'write_token') == change.token then return { 'opened' } end
if redis.call('EXISTS', stream.meta) == 1 then return { 'lost', 'in_use', '' } end
local refused = refuse_lease(shared.lease, shared.nonce)
if refused then return refused end
if old then
  refused = refuse_change(shared, old, old_change)
  if refused and refused[1] == 'written' then refused = { 'lost', 'revision', '' } end
  if refused then return refused end
end
local by = holder(shared.by_path, change.path_take, change.id, shared.ghosts)
local freed = old and by == old_change.id and old_change.path_release == change.path_take
if by and not freed then return { 'taken', by } end
if #known > 0 then
  local entry = redis.call('HGET', shared.done, change.path_take)
  local readable, value = pcall(cjson.decode, entry or '')
  if readable and type(value) == 'table' and value.stream_id ~= known[1] then return { 'done', entry } end
end

if old then apply_change(shared, old, old_change) end
set_all(stream.meta, change.set)
redis.call('HSET', stream.meta, 'write_token', change.token)
redis.call('HSET', shared.by_path, change.path_take, change.id)
append_log(stream.log, change.log, shared.log_cap)
place(shared.indexes, change.id, change.position, change.score, true)
append_event(shared.events, shared.events_cap, shared.now, change.event_type, change.id,
  redis.call('HGET', stream.meta, 'status'), change.event_detail, shared.worker)
count_stats(shared.stats, shared.stats_ttl, change.stats)
return { 'opened' }
