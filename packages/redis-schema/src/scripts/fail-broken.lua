-- Turns a stream whose record cannot be used into a failed one, with all its data; an id without any record becomes
-- visible as one.
-- KEYS: our lease, meta, log, four indexes, events, outbox, the expected owner's lease (absent when none is expected)
-- ARGV: nonce, worker, now (ms), entries of a log, entries of the feed, id, place of the index of failed streams,
--   list of statuses that count as failed, owner, fence and revision as read ('' for none), list of nonces known to be
--   dead, list of fields and values to set, log entry, event detail, entries of the outbox, list: the webhook's message
-- Replies: { marked } | { already }: it was marked before; also when this command was carried out before
--   { changed }: it is not what was read | { held, owner } | { lapsed } | { lost, lease, '' }
-- uses: lib-args lib-check lib-stream
local nonce, worker, now = take(), take(), take()
local log_cap, events_cap = tonumber(take()), take()
local id, failed_at, failed = take(), tonumber(take()), take_list()
local owner, fence, revision, dead, fields = take(), take(), take(), take_list(), take_list()
local log_entry, detail = take(), take()
local outbox_cap, message = take(), take_list()
local meta, log, events, outbox = KEYS[2], KEYS[3], KEYS[8], KEYS[9]
local indexes = { KEYS[4], KEYS[5], KEYS[6], KEYS[7] }

-- A stream that ended and was removed since it was read is in no index: it is not brought back.
local function listed(all, member)
  for _, key in ipairs(all) do
    if redis.call('ZSCORE', key, member) then return true end
  end
  return false
end

-- A key of another type under the stream's own name may be the problem: the rest is written anyway.
local kind = redis.call('TYPE', meta).ok
local log_kind = redis.call('TYPE', log).ok
local has_log = log_kind == 'list' or log_kind == 'none'
local writes = append_all(writes_of_indexes(indexes), {
  { KEYS[1], 'hash' },
  { events, 'stream', 'XADD' },
  { outbox, 'stream', 'XADD' },
})
if KEYS[10] then append_all(writes, { { KEYS[10], 'hash' } }) end
if kind == 'hash' or kind == 'none' then append_all(writes, { { meta, 'hash', 'HSET', 'HDEL' } }) end
if has_log then append_all(writes, { { log, 'list', 'LPUSH', 'LTRIM' } }) end
local wrong = unwritable(writes)
if wrong then return wrong end
local refused = refuse_lease(KEYS[1], nonce)
if refused then return refused end
if kind == 'hash' or kind == 'none' then
  local now_owner, now_fence, now_revision, status =
    unpack(redis.call('HMGET', meta, 'owner', 'fence', 'revision', 'status'))
  if has(failed, status or '') and redis.call('ZSCORE', indexes[failed_at], id) then return { 'already' } end
  if (now_owner or '') ~= owner or (now_fence or '') ~= fence or (now_revision or '') ~= revision then
    return { 'changed' }
  end
  if kind == 'none' and not listed(indexes, id) then return { 'changed' } end
  if owner ~= '' and owner ~= worker then
    local held = redis.call('HGET', KEYS[10], 'nonce')
    if held and not has(dead, held) then return { 'held', owner } end
  end
  set_all(meta, fields)
  redis.call('HDEL', meta, 'owner')
elseif redis.call('ZSCORE', indexes[failed_at], id) then
  -- A key of another type under the stream's name must not be changed: only the id is shown.
  return { 'already' }
end
if has_log then append_log(log, { log_entry }, log_cap) end
place(indexes, id, failed_at, now, false)
append_event(events, events_cap, now, 'state', id, fields[2], detail, worker)
add_message(outbox, outbox_cap, now, id, message)
return { 'marked' }
