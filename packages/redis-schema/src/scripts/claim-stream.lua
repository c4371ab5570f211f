-- Makes this worker the owner of a stream without a living owner, with the next fence. Changes nothing else.
-- KEYS: our lease, meta, log, events, the expected owner's lease (absent when none is expected)
-- ARGV: nonce, worker, now (ms), entries of a log, entries of the feed, id, expected owner ('' for none), token,
--   newest schema version we know, list of statuses that are never claimed, list of nonces known to be dead,
--   log entry, event detail
-- Replies: { claimed, field, value, … } the whole record
--   { held, owner } | { changed, owner }: another owner than expected, ask again with that one's lease
--   { absent } | { ended, status } | { newer, version } | { unreadable, what } | { lapsed } | { lost, lease, '' }
-- uses: lib-args lib-check lib-stream
local nonce, worker, now = take(), take(), take()
local log_cap, events_cap = tonumber(take()), take()
local id, expected, token, newest = take(), take(), take(), tonumber(take())
local ended, dead = take_list(), take_list()
local log_entry, detail = take(), take()
local lease, meta, log, events, owner_lease = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local wrong = unwritable({
  { lease, 'hash' },
  { meta, 'hash', 'HSET' },
  { log, 'list', 'LPUSH', 'LTRIM' },
  { events, 'stream', 'XADD' },
})
if wrong then return wrong end
local refused = refuse_lease(lease, nonce)
if refused then return refused end
if redis.call('EXISTS', meta) == 0 then return { 'absent' } end
local owner, fence, status, version, last =
  unpack(redis.call('HMGET', meta, 'owner', 'fence', 'status', 'schema_version', 'write_token'))
if tonumber(version or '0') and tonumber(version or '0') > newest then return { 'newer', version } end
if fence and not tonumber(fence) then return { 'unreadable', 'its fence is not a number' } end
if has(ended, status or '') then return { 'ended', status } end
owner = owner or ''
if owner == worker and last == token then return { 'claimed', unpack(redis.call('HGETALL', meta)) } end
if owner ~= expected then return { 'changed', owner } end
if owner ~= '' and owner ~= worker then
  wrong = unwritable({ { owner_lease, 'hash' } })
  if wrong then return wrong end
  local held = redis.call('HGET', owner_lease, 'nonce')
  if held and not has(dead, held) then return { 'held', owner } end
end

redis.call('HSET', meta, 'owner', worker, 'fence', tonumber(fence or '0') + 1, 'write_token', token)
append_log(log, { log_entry }, log_cap)
append_event(events, events_cap, now, 'log', id, status, detail, worker)
return { 'claimed', unpack(redis.call('HGETALL', meta)) }
