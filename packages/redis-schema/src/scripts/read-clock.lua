-- The time on the node that holds our keys.
-- KEYS: any key of the prefix
-- ARGV: none
-- Replies: { now, ms since 1970 }
local time = redis.call('TIME')
return { 'now', string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)) }
