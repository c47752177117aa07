-- Compare and swap: space, key, value, life, limit as in a batch, then what must be there (or the empty text: nothing).
local space, key = ARGV[2], ARGV[3]
local found = redis.call('GET', base .. ':v:' .. key) or ''
if found ~= ARGV[7] then return 0 end
put(space, key, ARGV[5], ARGV[4], ARGV[6])
make_room(space, ARGV[6])
return 1
