-- Puts a stream back under its path and its S3 keys, if the indexes by path and by key have no entry there. The record
-- is not changed.
-- KEYS: meta, by_path, by_key, meta keys of ghosts
-- ARGV: id, fence and revision as read ('' for none), path field ('' for none), list of key fields, list of ghost ids
--   (their meta keys end KEYS)
-- Replies: { right }: also when this command was carried out before | { restored }
--   { changed }: it is not what was read, nothing was changed
--   { taken, id }: another stream holds the path or a key; the others were put back
-- uses: lib-args lib-check lib-stream
local id, fence, revision, path, keys, ids = take(), take(), take(), take(), take_list(), take_list()
local meta, by_path, by_key = KEYS[1], KEYS[2], KEYS[3]
local ghosts = {}
for i, ghost in ipairs(ids) do ghosts[ghost] = KEYS[#KEYS - #ids + i] end

local wrong = unwritable({ { meta, 'hash' }, { by_path, 'hash', 'HSET' }, { by_key, 'hash', 'HSET' } })
if wrong then return wrong end
local now_fence, now_revision = unpack(redis.call('HMGET', meta, 'fence', 'revision'))
if (now_fence or '') ~= fence or (now_revision or '') ~= revision then return { 'changed' } end

local restored, taken = false, nil
local function restore(key, field)
  local by = holder(key, field, id, ghosts)
  if by then
    taken = by
  elseif redis.call('HGET', key, field) ~= id then
    redis.call('HSET', key, field, id)
    restored = true
  end
end
if path ~= '' then restore(by_path, path) end
for _, key in ipairs(keys) do restore(by_key, key) end
if taken then return { 'taken', taken } end
return { restored and 'restored' or 'right' }
