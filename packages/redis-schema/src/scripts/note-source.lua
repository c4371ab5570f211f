-- Notes where the file of a failed stream is now. It has no owner: any worker of its source that looks may say so.
-- KEYS: lease, meta, events
-- ARGV: nonce, worker, now (ms), entries of the feed, id, place as seen, list of statuses that count as failed
-- Replies: { noted } | { same }: it says so already | { changed }: it is no failed stream, or somebody works on it now
--   { lapsed } | { lost, lease, '' }
-- uses: lib-args lib-check lib-stream
local nonce, worker, now, events_cap = take(), take(), take(), take()
local id, seen, failed = take(), take(), take_list()
local meta, events = KEYS[2], KEYS[3]

local wrong = unwritable({ { KEYS[1], 'hash' }, { meta, 'hash', 'HSET' }, { events, 'stream', 'XADD' } })
if wrong then return wrong end
local refused = refuse_lease(KEYS[1], nonce)
if refused then return refused end
local status, owner, revision, before =
  unpack(redis.call('HMGET', meta, 'status', 'owner', 'revision', 'source_state'))
if not has(failed, status or '') or (owner or '') ~= '' then return { 'changed' } end
if before == seen then return { 'same' } end
redis.call('HSET', meta, 'source_state', seen, 'revision', (tonumber(revision or '0') or 0) + 1)
append_event(events, events_cap, now, 'log', id, status, 'its file: ' .. seen, worker)
return { 'noted' }
