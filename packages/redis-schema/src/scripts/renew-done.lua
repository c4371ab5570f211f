-- Updates the entry of a completed file, unless it was changed meanwhile.
-- KEYS: files_done
-- ARGV: field, the entry as read, the new entry
-- Replies: { renewed } also when this command was carried out before | { changed }: it is not what was read
-- uses: lib-check
local wrong = unwritable({ { KEYS[1], 'hash', 'HSET' } })
if wrong then return wrong end
local now = redis.call('HGET', KEYS[1], ARGV[1])
if now == ARGV[3] then return { 'renewed' } end
if now ~= ARGV[2] then return { 'changed' } end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 'renewed' }
