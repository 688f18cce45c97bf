-- Makes the caller the watcher, or keeps it the watcher, if no other process is.
-- KEYS: watcher, watched. ARGV: token, time to live in ms, 1 if the caller has read all changes.
-- Returns 1 if the caller is the watcher.
local watcher = redis.call('GET', KEYS[1])
if watcher and watcher ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[3] == '1' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return 1
