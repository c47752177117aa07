-- Says whose store this is. KEYS[1]: the tag; ARGV: the identity that is known to the caller (or the empty text), one
-- that could be given, the format, for how long nothing is admitted after the identity has changed.
-- Answers the identity and the format.
local meta = KEYS[1] .. ':meta'
local found = redis.call('HGET', meta, 'id')
if not found then
    found = ARGV[2]
    redis.call('HSET', meta, 'id', found, 'format', ARGV[3])
end
if ARGV[1] ~= '' and ARGV[1] ~= found then
    -- It was emptied: all who knew the earlier one get time to say what they have seen before anything is admitted.
    local clock = redis.call('TIME')
    redis.call('HSET', meta, 'settling', clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[4])
end
return { found, redis.call('HGET', meta, 'format') or '' }
