-- Records a change: entries that were computed before it are dropped.
-- KEYS: sequence, floor. ARGV: prefix of tags, time to live of a tag in ms, the tags; none for everything.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local change = string.format('%d %d', redis.call('INCR', KEYS[1]), now)
if #ARGV == 2 then redis.call('SET', KEYS[2], change) end
for place = 3, #ARGV do redis.call('SET', ARGV[1] .. ARGV[place], change, 'PX', ARGV[2]) end
return 1
