-- The keys of one stream and the shared ones; the check of every write, and the write itself.

-- Puts the id into index `position` (counted from 1 in the caller's order) and removes it from the three others; 0
-- removes it from all. `fresh` scores are set at each write; the others record when the stream entered, and stay.
local function place(indexes, id, position, score, fresh)
  for i, key in ipairs(indexes) do
    if i ~= position then redis.call('ZREM', key, id) end
  end
  if position == 0 then return end
  if fresh then
    redis.call('ZADD', indexes[position], score, id)
  else
    redis.call('ZADD', indexes[position], 'NX', score, id)
  end
end

local function append_log(key, entries, cap)
  if #entries == 0 then return end
  redis.call('LPUSH', key, unpack(entries))
  redis.call('LTRIM', key, 0, cap - 1)
end

local function append_event(key, cap, now, kind, subject, status, detail, worker)
  if kind == '' then return end
  local entry = { 'type', kind, 'subject', subject, 'at', now }
  if status and status ~= '' then entry[#entry + 1] = 'status'; entry[#entry + 1] = status end
  if detail ~= '' then entry[#entry + 1] = 'detail'; entry[#entry + 1] = detail end
  if worker ~= '' then entry[#entry + 1] = 'worker'; entry[#entry + 1] = worker end
  redis.call('XADD', key, 'MAXLEN', '~', cap, '*', unpack(entry))
end

local function count_stats(key, ttl_ms, pairs_list)
  if #pairs_list == 0 then return end
  for i = 1, #pairs_list, 2 do
    local name, more = pairs_list[i], pairs_list[i + 1]
    -- A counter that another program overwrote starts again, because it cannot be added to.
    local held = redis.call('HGET', key, name) or '0'
    if #held < 16 and string.match(held, '^-?%d+$') then
      redis.call('HINCRBY', key, name, more)
    else
      redis.call('HSET', key, name, more)
    end
  end
  redis.call('PEXPIRE', key, ttl_ms)
end

-- `message` is empty, or id, event and body. The cap limits an outbox that nobody reads.
local function add_message(key, cap, now, subject, message)
  if #message == 0 then return end
  redis.call('XADD', key, 'MAXLEN', '~', cap, '*',
    'id', message[1], 'event', message[2], 'body', message[3], 'subject', subject, 'at', now)
end

-- nil if this process holds the lease `key`.
local function refuse_lease(key, nonce)
  local held = redis.call('HGET', key, 'nonce')
  if not held then return { 'lapsed' } end
  if held ~= nonce then return { 'lost', 'lease', '' } end
  return nil
end

-- A change of one stream, as the caller sends it.
local function take_change()
  return {
    id = take(), fence = take(), revision = take(), token = take(), allowed = take_list(),
    position = tonumber(take()), score = take(), fresh = take() == '1',
    set = take_list(), unset = take_list(), drop_parts = take() == '1', parts = take_list(),
    path_release = take(), path_take = take(), path_displaces = take(), keys_take = take_list(), keys_release = take_list(),
    done_field = take(), done_value = take(), log = take_list(),
    event_type = take(), event_detail = take(), stats = take_list(), message = take_list(),
  }
end

-- An id that an index by path or key lists although its record is gone: `ghosts` are ids whose meta keys were passed.
local function is_ghost(ghosts, id)
  local meta = ghosts[id]
  return meta ~= nil and redis.call('EXISTS', meta) == 0
end

local function holder(key, field, id, ghosts)
  local by = redis.call('HGET', key, field)
  if by and by ~= id and not is_ghost(ghosts, by) then return by end
  return nil
end

-- nil if the change may be made; { 'written' } if this very command has already made it.
local function refuse_change(shared, stream, change)
  if redis.call('EXISTS', stream.meta) == 0 then return { 'lost', 'gone', '' } end
  local owner, fence, revision, status, token =
    unpack(redis.call('HMGET', stream.meta, 'owner', 'fence', 'revision', 'status', 'write_token'))
  fence = fence or '0'
  revision = revision or '0'
  if fence == change.fence and token == change.token and tonumber(revision) == tonumber(change.revision) + 1 then
    return { 'written' }
  end
  -- Fences and revisions only grow: a smaller value than the caller was given means that Redis lost writes.
  local known_fence, known_revision = tonumber(change.fence), tonumber(change.revision)
  local fence_now, revision_now = tonumber(fence) or 0, tonumber(revision) or 0
  if fence_now < known_fence or (fence_now == known_fence and revision_now < known_revision) then
    return { 'lost', 'older', fence .. '/' .. revision }
  end
  if owner ~= shared.worker then return { 'lost', 'owner', owner or '' } end
  if fence ~= change.fence then return { 'lost', 'fence', fence } end
  local refused = refuse_lease(shared.lease, shared.nonce)
  if refused then return refused end
  if not has(change.allowed, status or '') then return { 'lost', 'state', status or '' } end
  if revision ~= change.revision then return { 'lost', 'revision', revision } end
  for _, key in ipairs(change.keys_take) do
    local by = holder(shared.by_key, key, change.id, shared.ghosts)
    if by then return { 'key_taken', by } end
  end
  if change.path_take ~= '' then
    local by = holder(shared.by_path, change.path_take, change.id, shared.ghosts)
    -- The displaced stream keeps its record; it will follow its own file next.
    if by and by ~= change.path_displaces then return { 'path_taken', by } end
  end
  return nil
end

local function release(key, field, id)
  if redis.call('HGET', key, field) == id then redis.call('HDEL', key, field) end
end

local function apply_change(shared, stream, change)
  set_all(stream.meta, change.set)
  if #change.unset > 0 then redis.call('HDEL', stream.meta, unpack(change.unset)) end
  redis.call('HSET', stream.meta, 'revision', tonumber(change.revision) + 1, 'write_token', change.token)
  if change.drop_parts then redis.call('DEL', stream.parts) end
  set_all(stream.parts, change.parts)
  if change.path_release ~= '' then release(shared.by_path, change.path_release, change.id) end
  if change.path_take ~= '' then redis.call('HSET', shared.by_path, change.path_take, change.id) end
  for _, key in ipairs(change.keys_release) do release(shared.by_key, key, change.id) end
  for _, key in ipairs(change.keys_take) do redis.call('HSET', shared.by_key, key, change.id) end
  if change.done_field ~= '' then redis.call('HSET', shared.done, change.done_field, change.done_value) end
  append_log(stream.log, change.log, shared.log_cap)
  local status = redis.call('HGET', stream.meta, 'status')
  place(shared.indexes, change.id, change.position, change.score, change.fresh)
  if change.position == 0 then redis.call('DEL', stream.meta, stream.parts, stream.log) end
  append_event(shared.events, shared.events_cap, shared.now, change.event_type, change.id, status,
    change.event_detail, shared.worker)
  count_stats(shared.stats, shared.stats_ttl, change.stats)
  add_message(shared.outbox, shared.outbox_cap, shared.now, change.id, change.message)
end

-- KEYS 1..11 and the head of ARGV, the same for every script that writes a stream as its owner.
-- KEYS: lease, four indexes, by_path, by_key, files_done, events, stats, outbox. ARGV: nonce, worker, now (ms), entries
-- of a log, entries of the feed, ms a minute's counters are kept, entries of the outbox, list of ghost ids (their meta
-- keys end KEYS).
local function take_shared()
  local shared = {
    lease = KEYS[1], indexes = { KEYS[2], KEYS[3], KEYS[4], KEYS[5] }, by_path = KEYS[6], by_key = KEYS[7],
    done = KEYS[8], events = KEYS[9], stats = KEYS[10], outbox = KEYS[11],
    nonce = take(), worker = take(), now = take(),
    log_cap = tonumber(take()), events_cap = take(), stats_ttl = take(),
    outbox_cap = take(), ghosts = {},
  }
  local ids = take_list()
  for i, id in ipairs(ids) do shared.ghosts[id] = KEYS[#KEYS - #ids + i] end
  return shared
end
