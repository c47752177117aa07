-- What every verb on records begins with. KEYS[1] is the tag all names begin with, so that they stand in one slot of a
-- cluster; ARGV[1] is the identity of the store that the caller knows.
local base = KEYS[1]
if redis.call('HGET', base .. ':meta', 'id') ~= ARGV[1] then
    return redis.error_reply('EMPTIED this is not the store that was there before')
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Takes a record out of the list of what expires.
local function forget(space, key)
    if redis.call('ZREM', base .. ':due:' .. space, key) == 1 then
        local size = redis.call('HGET', base .. ':size:' .. space, key)
        if size then
            redis.call('HDEL', base .. ':size:' .. space, key)
            redis.call('HINCRBY', base .. ':held', space, -size)
        end
    end
end

-- Puts a record into the list of what expires. Its size counts where its space has a limit.
local function remember(space, key, ends, size, limit)
    redis.call('ZADD', base .. ':due:' .. space, ends, key)
    if limit ~= '' then
        redis.call('HSET', base .. ':size:' .. space, key, size)
        redis.call('HINCRBY', base .. ':held', space, size)
    end
end

local function put(space, key, life, value, limit)
    forget(space, key)
    if life == '' then
        redis.call('SET', base .. ':v:' .. key, value)
    else
        local ends = now + life
        redis.call('SET', base .. ':v:' .. key, value, 'PXAT', ends)
        remember(space, key, ends, #value, limit)
    end
    redis.call('ZADD', base .. ':order:' .. space, 0, key)
end

local function remove(space, key)
    forget(space, key)
    redis.call('DEL', base .. ':v:' .. key)
    redis.call('ZREM', base .. ':order:' .. space, key)
end

-- Lets go what would expire first, until the space is within its limit.
local function make_room(space, limit)
    if limit == '' then return end
    while tonumber(redis.call('HGET', base .. ':held', space) or 0) > tonumber(limit) do
        local first = redis.call('ZRANGE', base .. ':due:' .. space, 0, 0)
        if #first == 0 then return end
        remove(space, first[1])
    end
end
