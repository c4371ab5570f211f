-- Files a request once, however often it is sent.
-- KEYS: request, requests, events
-- ARGV: id, now (ms), entries of the feed, ms it is kept, oldest entry of `requests` that is kept, list of fields and
--   values, event detail, who
-- Replies: { filed } | { known }: also when this command was carried out before
-- uses: lib-args lib-check lib-stream
local id, now, events_cap, kept_ms, oldest = take(), take(), take(), take(), take()
local fields, detail, who = take_list(), take(), take()

local wrong = unwritable({
  { KEYS[1], 'hash', 'HSET', 'PEXPIRE' },
  { KEYS[2], 'stream', 'XADD' },
  { KEYS[3], 'stream', 'XADD' },
})
if wrong then return wrong end
if redis.call('EXISTS', KEYS[1]) == 1 then return { 'known' } end
set_all(KEYS[1], fields)
redis.call('PEXPIRE', KEYS[1], kept_ms)
redis.call('XADD', KEYS[2], 'MINID', '~', oldest, '*', 'id', id)
append_event(KEYS[3], events_cap, now, 'request', id, '', detail, who)
return { 'filed' }
