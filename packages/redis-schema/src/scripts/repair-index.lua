-- Puts a stream into the one index its status belongs to, and removes it from the others. The record is not changed.
-- KEYS: meta, four indexes
-- ARGV: id, now (ms), newest schema version we know, list of status and place of its index, …
-- Replies: { right, place }: also when this command was carried out before | { moved, place }
--   { missing }: no record; { unknown, status }: a status of no index; { foreign, type }: not a hash
--   { newer }: the record of a newer Sluice, which must not be changed
-- uses: lib-args lib-check lib-stream
local id, now, newest, places = take(), take(), tonumber(take()), take_list()
local indexes = { KEYS[2], KEYS[3], KEYS[4], KEYS[5] }

local wrong = unwritable(writes_of_indexes(indexes))
if wrong then return wrong end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return { 'missing' } end
if kind ~= 'hash' then return { 'foreign', kind } end
local status, version = unpack(redis.call('HMGET', KEYS[1], 'status', 'schema_version'))
if tonumber(version or '0') and tonumber(version or '0') > newest then return { 'newer' } end
status = status or ''
local position
for i = 1, #places, 2 do
  if places[i] == status then position = tonumber(places[i + 1]) end
end
if not position then return { 'unknown', status } end
local right = true
for i, key in ipairs(indexes) do
  if (redis.call('ZSCORE', key, id) ~= false) ~= (i == position) then right = false end
end
if right then return { 'right', tostring(position) } end
place(indexes, id, position, now, false)
return { 'moved', tostring(position) }
