-- Reads an entry. If it is missing, dropped or old, tries to get the lock with which one process computes it.
-- KEYS: entry, lock, sequence, floor, watched.
-- ARGV: prefix of tags, age after which an entry is refreshed, largest age, largest age without a watcher
-- (all in ms), token, time to live of the lock in ms.
-- Returns: content or false, 1 if it is old, 1 if the caller has the lock, the number of the newest change.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local sequence = redis.call('GET', KEYS[3]) or '0'
local stored = redis.call('HMGET', KEYS[1], 'sequence', 'stored_at', 'tags', 'content')
local content, old = stored[4], 0
if content then
  local filled, age = tonumber(stored[1]), now - tonumber(stored[2])
  local watched = redis.call('EXISTS', KEYS[5]) == 1
  local floor = tonumber(string.match(redis.call('GET', KEYS[4]) or '0', '^%d+'))
  if floor > filled or age >= tonumber(watched and ARGV[3] or ARGV[4]) then
    content = false
  else
    for _, tag in ipairs(cjson.decode(stored[3])) do
      local change = redis.call('GET', ARGV[1] .. tag)
      if change and tonumber(string.match(change, '^%d+')) > filled then
        content = false
        break
      end
    end
  end
  if content and age >= tonumber(ARGV[2]) then old = 1 end
end
local locked = 0
if (not content or old == 1) and redis.call('SET', KEYS[2], ARGV[5], 'NX', 'PX', ARGV[6]) then locked = 1 end
return {content, old, locked, sequence}
