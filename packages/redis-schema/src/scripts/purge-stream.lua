-- Removes the records of one failed stream, as it was read; its upload is put on the list to abort, or kept, as chosen.
-- KEYS: meta, parts, log, four indexes, by_path, by_key, uploads_to_abort, files_ignored, orphans, events
-- ARGV: id, now (ms), entries of the feed, place of the index of failed streams, status, fence and revision as read
--   ('' for none), list of statuses that count as failed, path field ('' for none), list of key fields,
--   upload id ('' to leave it alone), its entry, upload id that is kept ('' for none), its entry among the orphans,
--   mark in files_ignored ('' for none), event detail, who
-- Replies: { purged } | { absent }: also when this command was carried out before
--   { refused, status }: it is in no failed state | { changed, '' }: it is not what was read; nothing was changed
-- uses: lib-args lib-check lib-stream
local id, now, events_cap, failed_at = take(), take(), take(), tonumber(take())
local status, fence, revision, failed = take(), take(), take(), take_list()
local path, keys, upload, upload_entry = take(), take_list(), take(), take()
local kept, kept_entry, mark, detail, who = take(), take(), take(), take(), take()
local meta, parts, log = KEYS[1], KEYS[2], KEYS[3]
local indexes = { KEYS[4], KEYS[5], KEYS[6], KEYS[7] }
local by_path, by_key, to_abort, ignored, orphans = KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local events = KEYS[13]

local kind = redis.call('TYPE', meta).ok
local writes = append_all(writes_of_indexes(indexes), removals(meta, parts, log))
local wrong = unwritable(append_all(writes, {
  { by_path, 'hash', 'HDEL' },
  { by_key, 'hash', 'HDEL' },
  { to_abort, 'hash', 'HSET' },
  { ignored, 'hash', 'HSET' },
  { orphans, 'hash', 'HSET' },
  { events, 'stream', 'XADD' },
}))
if wrong then return wrong end
local listed = redis.call('ZSCORE', indexes[failed_at], id)
if kind == 'none' and not listed then return { 'absent' } end
if kind == 'hash' then
  local now_status, now_fence, now_revision = unpack(redis.call('HMGET', meta, 'status', 'fence', 'revision'))
  if not has(failed, now_status or '') then return { 'refused', now_status or '' } end
  if (now_status or '') ~= status or (now_fence or '') ~= fence or (now_revision or '') ~= revision then
    return { 'changed', '' }
  end
elseif not listed then
  return { 'refused', '' }
end

-- A successor has the path now: the mark would make its file look purged.
local owner_of_path = path ~= '' and redis.call('HGET', by_path, path)
if mark ~= '' and path ~= '' and (not owner_of_path or owner_of_path == id) then redis.call('HSET', ignored, path, mark) end
if path ~= '' then release(by_path, path, id) end
for _, key in ipairs(keys) do release(by_key, key, id) end
if upload ~= '' then redis.call('HSET', to_abort, upload, upload_entry) end
if kept ~= '' then redis.call('HSET', orphans, kept, kept_entry) end
-- A key of another type under the stream's name must not be removed: only the id is removed.
if kind == 'hash' or kind == 'none' then redis.call('DEL', meta, parts, log) end
place(indexes, id, 0, 0, false)
append_event(events, events_cap, now, 'removed', id, status, detail, who)
return { 'purged' }
