-- Takes or renews the lease of a worker id. A lease of another nonce stands, unless its process is known to be dead.
-- A Redis that is full refuses what needs memory; it lets a script end whose first write frees some. So the lease lives
-- on, its holder learns that nothing else is kept, and can say so in the lease itself.
-- Each renewal also raises a counter beside the epoch. A Redis whose counter, or whose note of when this worker was last
-- seen, is older than what the worker remembers has lost writes that it acknowledged (a snapshot was restored, a failover
-- lost its tail). A worker that remembers nothing asks whether the same server process answers as did at the last renewal.
-- Then the epoch's id goes, in this same step: every worker, also one that starts later, knows that S3 must be asked.
-- KEYS: lease, workers, stats, epoch
-- ARGV: nonce, worker, now (ms), lease ms, ids last seen before this (ms) are forgotten, ms a minute's counters are
--   kept, list of fields and values, list of nonces known to be dead, list of gauges and values for this minute,
--   counter as remembered ('' for none), list of the times of this worker's last renewals (ms), any of which may be noted
-- Replies: { taken, refusal, counter, back } no lease stood, or a dead one | { renewed, refusal, counter, back }: why
--   Redis takes no other writes, or nothing; why it is older than what is remembered, or nothing
--   { held, field, value, … }: the lease that stands
-- uses: lib-args lib-stream
local nonce, worker, now = take(), take(), take()
local lease_ms, forget_before, stats_ttl = take(), take(), take()
local fields, dead, gauges = take_list(), take_list(), take_list()
local remembered, marks = tonumber(take()), take_list()

local held = redis.call('HGET', KEYS[1], 'nonce')
if held and held ~= nonce and not has(dead, held) then return { 'held', unpack(redis.call('HGETALL', KEYS[1])) } end

local counter, server, id = unpack(redis.call('HMGET', KEYS[4], 'renewals', 'server', 'id'))
counter = tonumber(counter) or 0
local seen = redis.call('ZSCORE', KEYS[2], worker)
-- Asked without insisting: an access list may forbid it.
local info = redis.pcall('INFO', 'server')
local process = type(info) == 'string' and info:match('run_id:(%w+)') or ''
local back = ''
if remembered and counter < remembered then
  back = 'its count of renewals went back from ' .. remembered .. ' to ' .. counter
elseif remembered and #marks > 0 and not (seen and has(marks, seen)) then
  back = 'it does not know the last renewal of this worker'
elseif not remembered and id and (server or '') ~= '' and process ~= '' and server ~= process then
  back = 'another server process answers than at the last renewal'
end
counter = math.max(counter, remembered or 0) + 1

local trial = redis.pcall('HSET', KEYS[1], 'nonce', nonce)
local refusal = type(trial) == 'table' and trial.err or ''
redis.call('DEL', KEYS[1])
set_all(KEYS[1], fields)
redis.call('HSET', KEYS[1], 'nonce', nonce)
redis.call('PEXPIRE', KEYS[1], lease_ms)
if back ~= '' then redis.call('HDEL', KEYS[4], 'id', 'since_utc') end
redis.call('HSET', KEYS[4], 'renewals', counter, 'server', process)
redis.call('ZADD', KEYS[2], now, worker)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. forget_before)
if #gauges > 0 then
  redis.call('HSET', KEYS[3], unpack(gauges))
  redis.call('PEXPIRE', KEYS[3], stats_ttl)
end
return { held == nonce and 'renewed' or 'taken', refusal, tostring(counter), back }
