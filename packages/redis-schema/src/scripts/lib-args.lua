-- Reads ARGV from left to right. A list is its length, followed by its values.
local at = 0

local function take()
  at = at + 1
  return ARGV[at]
end

local function take_list()
  local list = {}
  for i = 1, tonumber(take()) do list[i] = take() end
  return list
end

local function has(list, value)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end

-- HSET of any number of pairs, in chunks, because Lua's unpack is limited to some thousands of values.
local function set_all(key, pairs_list)
  for from = 1, #pairs_list, 500 do
    redis.call('HSET', key, unpack(pairs_list, from, math.min(from + 499, #pairs_list)))
  end
end
