-- Files a request once, however often it is sent. Its age counts from now, on Redis's clock: the id of its entry.
-- KEYS: request, requests, events
-- ARGV: id, entries of the feed, ms it is kept, list of fields and values, event detail, who
-- Replies: { filed } | { known }: also when this command was carried out before
-- uses: lib-args lib-check lib-stream
local id, events_cap, kept_ms = take(), take(), tonumber(take())
local fields, detail, who = take_list(), take(), take()

local wrong = unwritable({
  { KEYS[1], 'hash', 'HSET', 'PEXPIRE' },
  { KEYS[2], 'stream', 'XADD' },
  { KEYS[3], 'stream', 'XADD' },
})
if wrong then return wrong end
if redis.call('EXISTS', KEYS[1]) == 1 then return { 'known' } end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest = string.format('%d-0', now - kept_ms)
local entry = redis.call('XADD', KEYS[2], 'MINID', '~', oldest, '*', 'id', id)
set_all(KEYS[1], fields)
redis.call('HSET', KEYS[1], 'entry', entry)
redis.call('PEXPIRE', KEYS[1], kept_ms)
append_event(KEYS[3], events_cap, now, 'request', id, '', detail, who)
return { 'filed' }
