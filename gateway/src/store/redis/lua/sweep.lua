-- Removes some of what has expired: how many per space at most, then the spaces.
local swept = 0
for at = 3, #ARGV do
    local space = ARGV[at]
    local due = redis.call('ZRANGE', base .. ':due:' .. space, '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[2])
    for _, key in ipairs(due) do
        remove(space, key)
    end
    swept = swept + #due
end
return swept
