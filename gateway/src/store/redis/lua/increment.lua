-- A counter: space, key, by how much, life of a new one. It is text of decimal digits, so it is exact to 64 bits.
local space, key, by, life = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local name = base .. ':v:' .. key
local is_new = redis.call('EXISTS', name) == 0
local added = redis.pcall('INCRBY', name, by)
if type(added) == 'table' and added.err then
    if not string.find(added.err, 'overflow') then return added end
    local edge = '9223372036854775807'
    if string.sub(by, 1, 1) == '-' then edge = '-9223372036854775808' end
    redis.call('SET', name, edge, 'KEEPTTL')
end
if is_new then
    forget(space, key)
    if life ~= '' then
        local ends = now + life
        redis.call('PEXPIREAT', name, ends)
        remember(space, key, ends, 0, '')
    end
    redis.call('ZADD', base .. ':order:' .. space, 0, key)
end
return redis.call('GET', name)
