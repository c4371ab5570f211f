-- Takes or renews the lease of a worker id. A lease of another nonce stands, unless its process is known to be dead.
-- A Redis that is full refuses what needs memory; it lets a script end whose first write frees some. So the lease lives
-- on, its holder learns that nothing else is kept, and can say so in the lease itself.
-- KEYS: lease, workers, stats
-- ARGV: nonce, worker, now (ms), lease ms, ids last seen before this (ms) are forgotten, ms a minute's counters are
--   kept, list of fields and values, list of nonces known to be dead, list of gauges and values for this minute
-- Replies: { taken, refusal } no lease stood, or a dead one | { renewed, refusal }: why Redis takes no other writes, or
--   nothing | { held, field, value, … }: the lease that stands
-- uses: lib-args lib-stream
local nonce, worker, now = take(), take(), take()
local lease_ms, forget_before, stats_ttl = take(), take(), take()
local fields, dead, gauges = take_list(), take_list(), take_list()

local held = redis.call('HGET', KEYS[1], 'nonce')
if held and held ~= nonce and not has(dead, held) then return { 'held', unpack(redis.call('HGETALL', KEYS[1])) } end
local trial = redis.pcall('HSET', KEYS[1], 'nonce', nonce)
local refusal = type(trial) == 'table' and trial.err or ''
redis.call('DEL', KEYS[1])
set_all(KEYS[1], fields)
redis.call('HSET', KEYS[1], 'nonce', nonce)
redis.call('PEXPIRE', KEYS[1], lease_ms)
redis.call('ZADD', KEYS[2], now, worker)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. forget_before)
if #gauges > 0 then
  redis.call('HSET', KEYS[3], unpack(gauges))
  redis.call('PEXPIRE', KEYS[3], stats_ttl)
end
return { held == nonce and 'renewed' or 'taken', refusal }
