-- Releases the lease of a worker that shuts down, and its place in the list; another process's lease under the same id
-- stays.
-- KEYS: lease, workers, what the worker last reported
-- ARGV: nonce, worker
-- Replies: { ended } | { not_ours }: also when this command was carried out before
-- uses: lib-check
local wrong = unwritable({ { KEYS[1], 'hash', 'DEL' }, { KEYS[2], 'zset', 'ZREM' }, { KEYS[3], 'hash', 'DEL' } })
if wrong then return wrong end
local held = redis.call('HGET', KEYS[1], 'nonce')
if held ~= ARGV[1] then return { 'not_ours' } end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[3])
return { 'ended' }
