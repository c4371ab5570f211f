-- Writes a stream back from this worker's memory into a Redis that lost it or has an older copy: the record and all its
-- parts under a higher fence, its path, its keys and its index. What Redis has in full stays unchanged.
-- KEYS: shared (11), meta, parts, log, the expected other owner's lease (absent when none is expected)
-- ARGV: shared, the stream's change (fence and revision as in memory), expected other owner ('' for none), list of ids
--   whose hold on the path or a key is void, field of the path ('' when it holds none), list of keys it
--   holds, list of keys it held before and has released
-- Replies: { written, fence } | { kept }: nothing is older here
--   { changed, owner }: another owner than expected, ask again with that one's lease
--   { path_taken, id } | { key_taken, id }: nothing was changed
--   { lost, owner | fence | revision | lease, what is there instead } | { lapsed }
-- uses: lib-args lib-check lib-stream
local shared = take_shared()
local meta, parts, log, owner_lease = KEYS[12], KEYS[13], KEYS[14], KEYS[15]
local change = take_change()
local expected, void = take(), take_list()
local path, keys, released = take(), take_list(), take_list()

local wrong = unwritable(
  append_all(writes_of_shared(shared), writes_of_stream({ meta = meta, parts = parts, log = log }))
)
if wrong then return wrong end
local refused = refuse_lease(shared.lease, shared.nonce)
if refused then return refused end
local owner, fence, revision, before_path, source =
  unpack(redis.call('HMGET', meta, 'owner', 'fence', 'revision', 'original_path', 'source'))
owner = owner or ''
local known_fence, known_revision = tonumber(change.fence), tonumber(change.revision)
local fence_now, revision_now = tonumber(fence) or -1, tonumber(revision) or 0
if redis.call('EXISTS', meta) == 1 then
  if owner ~= '' and owner ~= shared.worker then
    if owner ~= expected then return { 'changed', owner } end
    if redis.call('EXISTS', owner_lease) == 1 then return { 'lost', 'owner', owner } end
  elseif fence_now > known_fence then
    return { 'lost', 'fence', fence }
  elseif fence_now == known_fence and revision_now > known_revision then
    return { 'lost', 'revision', revision }
  elseif fence_now == known_fence and revision_now == known_revision then
    return { 'kept' }
  end
end
local function other(key, field)
  local by = redis.call('HGET', key, field)
  if by and by ~= change.id and not has(void, by) then return by end
  return nil
end
local by = path ~= '' and other(shared.by_path, path)
if by then return { 'path_taken', by } end
for _, key in ipairs(keys) do
  by = other(shared.by_key, key)
  if by then return { 'key_taken', by } end
end

local next_fence = math.max(fence_now, known_fence) + 1
if before_path and source then release(shared.by_path, source .. ':' .. before_path, change.id) end
for _, key in ipairs(released) do release(shared.by_key, key, change.id) end
redis.call('DEL', meta, parts)
set_all(meta, change.set)
redis.call('HSET', meta, 'fence', next_fence, 'revision', known_revision, 'write_token', change.token)
set_all(parts, change.parts)
if path ~= '' then redis.call('HSET', shared.by_path, path, change.id) end
for _, key in ipairs(keys) do redis.call('HSET', shared.by_key, key, change.id) end
append_log(log, change.log, shared.log_cap)
place(shared.indexes, change.id, change.position, change.score, change.fresh)
append_event(shared.events, shared.events_cap, shared.now, change.event_type, change.id,
  redis.call('HGET', meta, 'status'), change.event_detail, shared.worker)
return { 'written', tostring(next_fence) }
