-- Redis does not roll back a script that errors. So before its first write a script lists every key it will write, its
-- type, and the commands it will use: a key of another type, or a command that this user may not run on it, refuses the
-- whole script, and nothing has been written.

-- Redis before 7 cannot report what a user may do.
local function may(command, key)
  return redis.acl_check_cmd == nil or redis.acl_check_cmd(command, key)
end

-- Each entry: key, type, commands. nil if all of them can be written; else the error to reply with.
local function unwritable(entries)
  for _, entry in ipairs(entries) do
    local key, kind = entry[1], entry[2]
    local found = redis.call('TYPE', key).ok
    if found ~= 'none' and found ~= kind then
      return redis.error_reply('WRONGTYPE ' .. found .. ' ' .. kind .. ' ' .. key)
    end
    for i = 3, #entry do
      if not may(entry[i], key) then return redis.error_reply('NOPERM ' .. entry[i] .. ' ' .. key) end
    end
  end
  return nil
end

local function append_all(list, more)
  for _, entry in ipairs(more) do list[#list + 1] = entry end
  return list
end

local function writes_of_stream(stream)
  return {
    { stream.meta, 'hash', 'HSET', 'HDEL', 'DEL' },
    { stream.parts, 'hash', 'HSET', 'DEL' },
    { stream.log, 'list', 'LPUSH', 'LTRIM', 'DEL' },
  }
end

-- Whatever their type.
local function removals(...)
  local entries = {}
  for i, key in ipairs({ ... }) do entries[i] = { key, redis.call('TYPE', key).ok, 'DEL' } end
  return entries
end

local function writes_of_indexes(indexes)
  local entries = {}
  for i, key in ipairs(indexes) do entries[i] = { key, 'zset', 'ZADD', 'ZREM' } end
  return entries
end

local function writes_of_shared(shared)
  return append_all(writes_of_indexes(shared.indexes), {
    { shared.lease, 'hash' },
    { shared.by_path, 'hash', 'HSET', 'HDEL' },
    { shared.by_key, 'hash', 'HSET', 'HDEL' },
    { shared.done, 'hash', 'HSET' },
    { shared.events, 'stream', 'XADD' },
    { shared.stats, 'hash', 'HINCRBY', 'HSET', 'PEXPIRE' },
    { shared.outbox, 'stream', 'XADD' },
  })
end
