-- Counts one attempt to sign in under each name of its address; a window begins with its first attempt. Once one of
-- them is full, the attempt is refused, and counted under none.
-- KEYS: login, for each name
-- ARGV: window (ms), then the most attempts under each name, in the order of the keys
-- Replies: { 1 when it may try, else 0; ms until the window that refused it ends }
-- uses: lib-check
local writes = {}
for i, key in ipairs(KEYS) do writes[i] = { key, 'string', 'INCR', 'PEXPIRE' } end
local wrong = unwritable(writes)
if wrong then return wrong end
local wait = -1
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i + 1]) then
    local left = redis.call('PTTL', key)
    if left < 0 then redis.call('PEXPIRE', key, ARGV[1]) left = tonumber(ARGV[1]) end
    wait = math.max(wait, left)
  end
end
if wait >= 0 then return { '0', tostring(wait) } end
for _, key in ipairs(KEYS) do
  redis.call('INCR', key)
  if redis.call('PTTL', key) < 0 then redis.call('PEXPIRE', key, ARGV[1]) end
end
return { '1', '0' }
