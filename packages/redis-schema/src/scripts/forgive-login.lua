-- Called after a successful sign-in: resets the count of its address, and takes the attempt off the wider names.
-- KEYS: login of the address, then of each wider name
-- ARGV: none
-- Replies: { ok }
-- uses: lib-check
local writes = {}
for i, key in ipairs(KEYS) do writes[i] = { key, 'string', 'DECR', 'DEL' } end
local wrong = unwritable(writes)
if wrong then return wrong end
for i, key in ipairs(KEYS) do
  if i == 1 or tonumber(redis.call('GET', key) or '0') <= 1 then redis.call('DEL', key)
  else redis.call('DECR', key) end
end
return { 'ok' }
