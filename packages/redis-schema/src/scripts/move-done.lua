-- Moves the entries of completed files that were renamed to their new paths, all of them in one step.
-- KEYS: files_done
-- ARGV: for each: field before, field after, the entry as read, what the field after held ('' for nothing). No field occurs
-- twice before, or twice after
-- Replies: { moved } also when this command was carried out before | { changed }: one is not what was read, none was moved
-- uses: lib-check
local wrong = unwritable({ { KEYS[1], 'hash', 'HSET', 'HDEL' } })
if wrong then return wrong end
local function holds(place, value)
  for at = 1, #ARGV, 4 do
    if (redis.call('HGET', KEYS[1], ARGV[at + place]) or '') ~= ARGV[at + value] then return false end
  end
  return true
end

if not (holds(0, 2) and holds(1, 3)) then return { holds(1, 2) and 'moved' or 'changed' } end
for at = 1, #ARGV, 4 do redis.call('HDEL', KEYS[1], ARGV[at]) end
for at = 1, #ARGV, 4 do redis.call('HSET', KEYS[1], ARGV[at + 1], ARGV[at + 2]) end
return { 'moved' }
