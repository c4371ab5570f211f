-- Moves the entries of completed files that were renamed to their new paths, all of them in one step.
-- KEYS: files_done, by_key
-- ARGV: for each: field before, field after, the entry as read, what the field after held ('' for nothing), the field of its
-- object's key, the stream that made it. No field occurs twice before, or twice after
-- Replies: { moved } also when this command was carried out before | { changed }: one is not what was read, or another
-- stream replaces its object; none was moved
-- uses: lib-check
local wrong = unwritable({ { KEYS[1], 'hash', 'HSET', 'HDEL' }, { KEYS[2], 'hash' } })
if wrong then return wrong end
local function holds(place, value)
  for at = 1, #ARGV, 6 do
    if (redis.call('HGET', KEYS[1], ARGV[at + place]) or '') ~= ARGV[at + value] then return false end
  end
  return true
end

if not (holds(0, 2) and holds(1, 3)) then return { holds(1, 2) and 'moved' or 'changed' } end
for at = 1, #ARGV, 6 do
  local by = redis.call('HGET', KEYS[2], ARGV[at + 4])
  if by and by ~= ARGV[at + 5] then return { 'changed' } end
end
for at = 1, #ARGV, 6 do redis.call('HDEL', KEYS[1], ARGV[at]) end
for at = 1, #ARGV, 6 do redis.call('HSET', KEYS[1], ARGV[at + 1], ARGV[at + 2]) end
return { 'moved' }
