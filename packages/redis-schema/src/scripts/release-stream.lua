-- Releases a stream without a change, so that another worker may take it over at once.
-- KEYS: our lease, meta, log, events
-- ARGV: nonce, worker, now (ms), entries of a log, entries of the feed, id, fence, log entry, event detail
-- Replies: { released } | { not_ours }: nothing to release, also when this command was carried out before
-- uses: lib-args lib-check lib-stream
local nonce, worker, now = take(), take(), take()
local log_cap, events_cap = tonumber(take()), take()
local id, fence, log_entry, detail = take(), take(), take(), take()

local wrong = unwritable({
  { KEYS[1], 'hash' },
  { KEYS[2], 'hash', 'HDEL' },
  { KEYS[3], 'list', 'LPUSH', 'LTRIM' },
  { KEYS[4], 'stream', 'XADD' },
})
if wrong then return wrong end
local owner, held, status = unpack(redis.call('HMGET', KEYS[2], 'owner', 'fence', 'status'))
local lease = redis.call('HGET', KEYS[1], 'nonce')
if owner ~= worker or (held or '0') ~= fence or (lease and lease ~= nonce) then return { 'not_ours' } end
redis.call('HDEL', KEYS[2], 'owner')
append_log(KEYS[3], { log_entry }, log_cap)
append_event(KEYS[4], events_cap, now, 'log', id, status, detail, worker)
return { 'released' }
