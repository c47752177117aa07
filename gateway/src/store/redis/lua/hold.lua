-- Holds all parts or none: id, for how long at most, the parts as JSON. Answers the time, whether it is held, the part that
-- did not fit (from 0; -1), in how many milliseconds it would (-1: nobody knows), and three numbers per part.
if known[2] and tonumber(known[2]) > now then
    return redis.error_reply('SETTLING the store was emptied; nothing is admitted until all nodes have said what they know')
end
expire()
local name = base .. ':hold:' .. ARGV[2]
local stored = redis.call('GET', name)
if stored == 'never' then
    return redis.error_reply('ENDED this hold was settled before it was made')
end
local answer = { text(now), '1', '-1', '-1' }
local counters, stuck = {}, nil
for at, part in ipairs(cjson.decode(ARGV[4])) do
    counters[at] = load(part)
    if not stored and not stuck and not fits(counters[at]) then stuck = at end
end
if stuck then
    answer[2], answer[3], answer[4] = '0', text(stuck - 1), text(math.min(fits_in(counters[stuck]), MOST))
elseif not stored then
    for _, counter in ipairs(counters) do
        take(counter)
        save(counter, tonumber(ARGV[3]))
    end
    redis.call('SET', name, ARGV[4])
    redis.call('ZADD', base .. ':ends', now + ARGV[3], ARGV[2])
end
for _, counter in ipairs(counters) do stand(counter, answer) end
return answer
