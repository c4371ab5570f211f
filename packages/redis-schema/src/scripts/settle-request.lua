-- One item of a request gets its result; the first result stands.
-- KEYS: request, events
-- ARGV: id, now (ms), entries of the feed, field of the item, its result, list of the fields of all items,
--   time (ISO), event detail, worker
-- Replies: { settled, '1' | '0': all items are } | { known }: it has a result; also when this command was carried out before
--   { absent }: the request is forgotten
-- uses: lib-args lib-check lib-stream
local id, now, events_cap = take(), take(), take()
local field, result, all, at_utc, detail, worker = take(), take(), take_list(), take(), take(), take()

local wrong = unwritable({ { KEYS[1], 'hash', 'HSETNX' }, { KEYS[2], 'stream', 'XADD' } })
if wrong then return wrong end
if redis.call('EXISTS', KEYS[1]) == 0 then return { 'absent' } end
if redis.call('HSETNX', KEYS[1], field, result) == 0 then return { 'known' } end
local complete = '1'
for _, item in ipairs(all) do
  if redis.call('HEXISTS', KEYS[1], item) == 0 then complete = '0' end
end
if complete == '1' then redis.call('HSETNX', KEYS[1], 'settled_at_utc', at_utc) end
append_event(KEYS[2], events_cap, now, 'request', id, '', detail, worker)
return { 'settled', complete }
