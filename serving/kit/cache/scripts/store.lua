-- Stores an entry unless something that it depends on has changed since it was computed, and returns the lock.
-- KEYS: entry, lock, floor, index of entries by expiry, their sizes, their total size.
-- ARGV: prefix of tags, token, number of the newest change before the computation, time to live, time during
-- which a change may not have reached the stores yet, time to live during that time (all in ms), largest total
-- size, tags as JSON, content.
-- Returns 1 if the entry was stored.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local filled, ttl = tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('GET', KEYS[2]) == ARGV[2] then redis.call('DEL', KEYS[2]) end

local function read(change)
  local number, at = string.match(change or '0 0', '^(%d+) (%d+)')
  if now - tonumber(at) < tonumber(ARGV[5]) then ttl = tonumber(ARGV[6]) end
  return tonumber(number)
end
if read(redis.call('GET', KEYS[3])) > filled then return 0 end
for _, tag in ipairs(cjson.decode(ARGV[8])) do
  if read(redis.call('GET', ARGV[1] .. tag)) > filled then return 0 end
end

local function forget(entry)
  local size = tonumber(redis.call('HGET', KEYS[5], entry) or '0')
  redis.call('HDEL', KEYS[5], entry)
  redis.call('ZREM', KEYS[4], entry)
  return redis.call('DECRBY', KEYS[6], size)
end
local total = forget(KEYS[1])
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 100)) do
  total = forget(entry)
end
local size = #ARGV[8] + #ARGV[9]
while total + size > tonumber(ARGV[7]) do
  local entry = redis.call('ZRANGE', KEYS[4], 0, 0)[1]
  if not entry then return 0 end
  redis.call('DEL', entry)
  total = forget(entry)
end
redis.call('HSET', KEYS[1], 'sequence', ARGV[3], 'stored_at', now, 'tags', ARGV[8], 'content', ARGV[9])
redis.call('PEXPIRE', KEYS[1], ttl)
redis.call('ZADD', KEYS[4], now + ttl, KEYS[1])
redis.call('HSET', KEYS[5], KEYS[1], size)
redis.call('INCRBY', KEYS[6], size)
return 1
