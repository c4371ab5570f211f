-- Lets one worker at a time act on an item that several could act on: the first one holds it, for a while, on Redis's
-- clock.
-- KEYS: request
-- ARGV: who would hold it, ms it is held, field of its result, field of the hold
-- Replies: { ours }: also when this command was carried out before | { held }: by another | { known }: it has a result
--   { absent }: the request has expired
-- uses: lib-args lib-check
local who, ms, result, hold = take(), tonumber(take()), take(), take()

local wrong = unwritable({ { KEYS[1], 'hash', 'HSET' } })
if wrong then return wrong end
if redis.call('EXISTS', KEYS[1]) == 0 then return { 'absent' } end
if redis.call('HEXISTS', KEYS[1], result) == 1 then return { 'known' } end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local holder, ends = string.match(redis.call('HGET', KEYS[1], hold) or '', '^(.*) (%d+)$')
if holder and holder ~= who and tonumber(ends) > now then return { 'held' } end
redis.call('HSET', KEYS[1], hold, string.format('%s %d', who, now + ms))
return { 'ours' }
