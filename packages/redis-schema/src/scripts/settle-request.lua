-- Stores results of items of a request; the first result of an item counts. When its last item is answered, the request
-- leaves the queue. Only the new results are sent and counted, never the whole request.
-- KEYS: request, requests, events
-- ARGV: request id, now (ms), entries of the feed, how many items it has, time (ISO), ms it is kept once all items
--   are answered (empty: as filed), event detail, worker, what the fields of results begin with, list of fields and results, list of the fields that kept other workers off
-- Replies: { settled, '1' | '0': all items are, how many results are new }
--   { known }: all of them have a result; also when this command was carried out before | { absent }: it has expired
-- uses: lib-args lib-check lib-stream
local id, now, events_cap, total = take(), take(), take(), tonumber(take())
local at_utc, kept_ms, detail, worker, beginning = take(), take(), take(), take(), take()
local results, holds = take_list(), take_list()

local wrong = unwritable({
  { KEYS[1], 'hash', 'HSETNX', 'HSET', 'HDEL', 'PEXPIRE' },
  { KEYS[2], 'stream', 'XDEL' },
  { KEYS[3], 'stream', 'XADD' },
})
if wrong then return wrong end
if redis.call('EXISTS', KEYS[1]) == 0 then return { 'absent' } end
local answered, entry = unpack(redis.call('HMGET', KEYS[1], 'answered', 'entry'))
answered = tonumber(answered or '')
if not answered then
  answered = 0
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, #beginning) == beginning then answered = answered + 1 end
  end
end
local fresh = 0
for i = 1, #results, 2 do
  fresh = fresh + redis.call('HSETNX', KEYS[1], results[i], results[i + 1])
end
if #holds > 0 then redis.call('HDEL', KEYS[1], unpack(holds)) end
if fresh == 0 then return { 'known' } end
redis.call('HSET', KEYS[1], 'answered', answered + fresh)
local complete = answered + fresh >= total
if complete then
  redis.call('HSETNX', KEYS[1], 'settled_at_utc', at_utc)
  if entry then redis.call('XDEL', KEYS[2], entry) end
  if kept_ms ~= '' then redis.call('PEXPIRE', KEYS[1], kept_ms) end
end
append_event(KEYS[3], events_cap, now, 'request', id, '', detail, worker)
return { 'settled', complete and '1' or '0', fresh }
