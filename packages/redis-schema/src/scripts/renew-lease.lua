-- Takes or renews the lease of a worker id. A lease of another nonce stands, unless its process is known to be dead.
-- A Redis that is full refuses what needs memory; it lets a script end whose first write frees some. So the lease lives
-- on, its holder learns that nothing else is kept, and can say so in the lease itself.
-- Every key that the worker's scripts write is looked at too: one of another type, or that this user may not write, is
-- said while nothing needs it yet.
-- KEYS: lease, workers, stats, four indexes, by_path, by_key, files_done, events, outbox, files_ignored, uploads_to_abort,
--   orphans, requests, meta, parts and log of no stream
-- ARGV: nonce, worker, now (ms), lease ms, ids last seen before this (ms) are forgotten, ms a minute's counters are
--   kept, list of fields and values, list of nonces known to be dead, list of gauges and values for this minute
-- Replies: { taken, refusal } no lease stood, or a dead one | { renewed, refusal }: why Redis takes no other writes, or
--   nothing | { held, field, value, … }: the lease that stands
-- uses: lib-args lib-check lib-stream
local nonce, worker, now = take(), take(), take()
local lease_ms, forget_before, stats_ttl = take(), take(), take()
local fields, dead, gauges = take_list(), take_list(), take_list()

local lease = { KEYS[1], 'hash', 'HSET', 'DEL', 'PEXPIRE' }
local wrong = unwritable({ lease })
if wrong then return wrong end
local no_workers = unwritable({ { KEYS[2], 'zset', 'ZADD', 'ZREMRANGEBYSCORE' } })
local no_stats = unwritable({ { KEYS[3], 'hash', 'HSET', 'HINCRBY', 'PEXPIRE' } })
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
local unwritten = no_workers or no_stats or unwritable(writes)

local held = redis.call('HGET', KEYS[1], 'nonce')
if held and held ~= nonce and not has(dead, held) then return { 'held', unpack(redis.call('HGETALL', KEYS[1])) } end
local trial = redis.pcall('HSET', KEYS[1], 'nonce', nonce)
local refusal = type(trial) == 'table' and trial.err or unwritten and unwritten.err or ''
redis.call('DEL', KEYS[1])
set_all(KEYS[1], fields)
redis.call('HSET', KEYS[1], 'nonce', nonce)
redis.call('PEXPIRE', KEYS[1], lease_ms)
if not no_workers then
  redis.call('ZADD', KEYS[2], now, worker)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. forget_before)
end
if #gauges > 0 and not no_stats then
  redis.call('HSET', KEYS[3], unpack(gauges))
  redis.call('PEXPIRE', KEYS[3], stats_ttl)
end
return { held == nonce and 'renewed' or 'taken', refusal }
