-- Converts an index that an early version stored as a plain set to a sorted set with the same ids.
-- KEYS: index
-- ARGV: score for every id (ms)
-- Replies: { converted, count } | { kept }: it is a sorted set or absent; also when this command was carried out before
--   { foreign, type }: neither; nothing was changed
-- uses: lib-check
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'zset' or kind == 'none' then return { 'kept' } end
if kind ~= 'set' then return { 'foreign', kind } end
local wrong = unwritable({ { KEYS[1], 'set', 'DEL', 'ZADD' } })
if wrong then return wrong end
local ids = redis.call('SMEMBERS', KEYS[1])
redis.call('DEL', KEYS[1])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], ARGV[1], id) end
return { 'converted', tostring(#ids) }
