-- Stores the newest answer to a question. Deletes answers that expire next until it fits.
-- KEYS: answer, index of answers by expiry, their sizes, their total size.
-- ARGV: time to live in ms, largest total size, content.
-- Returns 1 if the answer was stored.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl, largest, size = tonumber(ARGV[1]), tonumber(ARGV[2]), #ARGV[3]

local function forget(answer)
  local freed = tonumber(redis.call('HGET', KEYS[3], answer) or '0')
  redis.call('HDEL', KEYS[3], answer)
  redis.call('ZREM', KEYS[2], answer)
  return redis.call('DECRBY', KEYS[4], freed)
end
local total = forget(KEYS[1])
for _, answer in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)) do
  total = forget(answer)
end
while total + size > largest do
  local answer = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not answer then return 0 end
  redis.call('DEL', answer)
  total = forget(answer)
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ttl)
redis.call('ZADD', KEYS[2], now + ttl, KEYS[1])
redis.call('HSET', KEYS[3], KEYS[1], size)
redis.call('INCRBY', KEYS[4], size)
return 1
