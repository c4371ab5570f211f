-- What is known of a completed file is renewed, unless somebody changed its entry meanwhile.
-- KEYS: files_done
-- ARGV: field, the entry as read, the entry as it shall be
-- Replies: { renewed } also when this command was carried out before | { changed }: it is not what was read
-- uses: lib-check
local wrong = unwritable({ { KEYS[1], 'hash', 'HSET' } })
if wrong then return wrong end
local now = redis.call('HGET', KEYS[1], ARGV[1])
if now == ARGV[3] then return { 'renewed' } end
if now ~= ARGV[2] then return { 'changed' } end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 'renewed' }
