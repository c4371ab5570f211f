-- Takes or renews the lease of a worker id. A lease of another nonce stays, unless its process is known to be dead. A
-- full Redis refuses commands that need memory, but lets a script finish whose first write frees some. So the lease is
-- kept, and its holder learns that nothing else is stored, and can report that in the lease itself.
-- Every key that the worker's scripts write is checked too: one of another type, or that this user may not write, is
-- reported before it is needed.
-- What the worker reports is also kept for days in a second key, so that it is known after its lease has lapsed.
-- Each renewal also increases a counter in the epoch. A Redis whose counter, or whose record of when this worker was
-- last seen, is older than what the worker remembers has lost writes that it acknowledged (a snapshot was restored, a
-- failover lost the latest writes). So may a Redis whose server process is another one than at the last renewal,
-- because it may have lost writes since then.
-- The epoch's id is then removed, in this same step: every worker, also one that starts later, knows that S3 must be
-- asked.
-- KEYS: lease, workers, stats, four indexes, by_path, by_key, files_done, events, outbox, files_ignored, uploads_to_abort,
--   orphans, requests, meta, parts and log of no stream, epoch, what the worker last reported
-- ARGV: nonce, worker, now (ms), lease ms, ids last seen before this (ms) are forgotten, ms a minute's counters are
--   kept, ms what the worker last reported is kept, list of fields and values, list of nonces known to be dead, list of gauges and values for this minute,
--   counter as remembered ('' for none), list of the times of this worker's last renewals (ms), any of which may be noted
-- Replies: { taken, refusal, counter, back } there was no lease, or a dead one | { renewed, refusal, counter, back }: why
--   Redis takes no other writes, or nothing; why it is older than what is remembered, or nothing
--   { held, field, value, … }: the existing lease
-- uses: lib-args lib-check lib-stream
local nonce, worker, now = take(), take(), take()
local lease_ms, forget_before, stats_ttl, last_ms = take(), take(), take(), take()
local fields, dead, gauges = take_list(), take_list(), take_list()
local remembered, marks = tonumber(take()), take_list()

local lease = { KEYS[1], 'hash', 'HSET', 'DEL', 'PEXPIRE' }
local wrong = unwritable({ lease, { KEYS[20], 'hash', 'HSET', 'HDEL' } })
if wrong then return wrong end
local no_workers = unwritable({ { KEYS[2], 'zset', 'ZADD', 'ZREMRANGEBYSCORE' } })
local no_stats = unwritable({ { KEYS[3], 'hash', 'HSET', 'HINCRBY', 'PEXPIRE' } })
local no_last = unwritable({ { KEYS[21], 'hash', 'HSET', 'DEL', 'PEXPIRE' } })
local shared = {
  lease = KEYS[1], stats = KEYS[3], indexes = { KEYS[4], KEYS[5], KEYS[6], KEYS[7] }, by_path = KEYS[8],
  by_key = KEYS[9], done = KEYS[10], events = KEYS[11], outbox = KEYS[12],
}
local writes = append_all(writes_of_shared(shared), {
  { KEYS[13], 'hash', 'HSET', 'HDEL' },
  { KEYS[14], 'hash', 'HSET', 'HDEL' },
  { KEYS[15], 'hash', 'HSET', 'HDEL' },
  { KEYS[16], 'stream' },
})
append_all(writes, writes_of_stream({ meta = KEYS[17], parts = KEYS[18], log = KEYS[19] }))
local unwritten = no_workers or no_stats or no_last or unwritable(writes)

local held = redis.call('HGET', KEYS[1], 'nonce')
if held and held ~= nonce and not has(dead, held) then return { 'held', unpack(redis.call('HGETALL', KEYS[1])) } end

local counter, server, id = unpack(redis.call('HMGET', KEYS[20], 'renewals', 'server', 'id'))
counter = tonumber(counter) or 0
local seen = not no_workers and redis.call('ZSCORE', KEYS[2], worker)
-- pcall, because an access list may forbid it.
local info = redis.pcall('INFO', 'server')
local process = type(info) == 'string' and info:match('run_id:(%w+)') or ''
local back = ''
if remembered and counter < remembered then
  back = 'its count of renewals went back from ' .. remembered .. ' to ' .. counter
elseif remembered and #marks > 0 and not (seen and has(marks, seen)) then
  back = 'it does not know the last renewal of this worker'
elseif id and (server or '') ~= '' and process ~= '' and server ~= process then
  back = 'another server process answers than at the last renewal'
end
counter = math.max(counter, remembered or 0) + 1

local trial = redis.pcall('HSET', KEYS[1], 'nonce', nonce)
local refusal = type(trial) == 'table' and trial.err or unwritten and unwritten.err or ''
redis.call('DEL', KEYS[1])
set_all(KEYS[1], fields)
redis.call('HSET', KEYS[1], 'nonce', nonce)
redis.call('PEXPIRE', KEYS[1], lease_ms)
if not no_last then
  redis.call('DEL', KEYS[21])
  set_all(KEYS[21], fields)
  redis.call('PEXPIRE', KEYS[21], last_ms)
end
if back ~= '' then redis.call('HDEL', KEYS[20], 'id', 'since_utc') end
redis.call('HSET', KEYS[20], 'renewals', counter, 'server', process)
if not no_workers then
  redis.call('ZADD', KEYS[2], now, worker)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. forget_before)
end
if #gauges > 0 and not no_stats then
  redis.call('HSET', KEYS[3], unpack(gauges))
  redis.call('PEXPIRE', KEYS[3], stats_ttl)
end
return { held == nonce and 'renewed' or 'taken', refusal, tostring(counter), back }
