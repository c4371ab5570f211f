-- A completed file that was renamed keeps its entry under the new path.
-- KEYS: files_done
-- ARGV: field before, field after, the entry as read
-- Replies: { moved } also when this command was carried out before | { changed }: it is not what was read
-- uses: lib-check
local wrong = unwritable({ { KEYS[1], 'hash', 'HSET', 'HDEL' } })
if wrong then return wrong end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[3] then
  return { redis.call('HGET', KEYS[1], ARGV[2]) == ARGV[3] and 'moved' or 'changed' }
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('HDEL', KEYS[1], ARGV[1])
return { 'moved' }
