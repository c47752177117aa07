-- What every verb on limits and budgets begins with. KEYS[1]: the tag; ARGV[1]: the identity of the store that the caller
-- knows. A counter is a hash; what is open is text (the parts as they came) and stands in order of its end.
local base = KEYS[1]
local known = redis.call('HMGET', base .. ':meta', 'id', 'settling')
if known[1] ~= ARGV[1] then
    return redis.error_reply('EMPTIED this is not the store that was there before')
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- Whole numbers are exact up to here; nothing counts beyond.
local MOST = 9007199254740991
local MICRO = 1000000
-- Rolling time is forgotten in so many parts.
local PARTS = 60
-- So much longer than it must a counter is kept.
local GRACE = 3600000

local function text(number) return string.format('%.17g', number) end

local function load(part)
    local name = base .. ':h:' .. part.place
    local counter = { name = name, part = part }
    local fields = redis.call('HGETALL', name)
    local found = {}
    for at = 1, #fields, 2 do found[fields[at]] = tonumber(fields[at + 1]) end
    if part.kind == 'rate' then
        -- A bucket that drains: its level is in units times milliseconds of the window. What is held does not drain.
        local passed = math.max(0, now - (found.at or now))
        counter.level = math.max(0, (found.level or 0) - passed * part.count)
        counter.held = found.held or 0
    elseif part.kind == 'concurrent' then
        counter.running = found.running or 0
    else
        counter.spent, counter.rest, counter.held = found.spent or 0, found.rest or 0, found.held or 0
        if part.rolling then
            counter.length = math.max(1, math.floor(part.rolling / PARTS))
            counter.parts, counter.gone = {}, {}
            local oldest = math.floor(now / counter.length) - PARTS
            for field, micros in pairs(found) do
                local number = string.match(field, '^m(%d+)$')
                if number then
                    local rest = found['r' .. number] or 0
                    number = tonumber(number)
                    if number < oldest then
                        counter.spent = counter.spent - micros
                        counter.rest = counter.rest - rest
                        counter.gone[#counter.gone + 1] = text(number)
                    else
                        counter.parts[#counter.parts + 1] = { number = number, micros = micros, rest = rest }
                    end
                end
            end
            if counter.rest < 0 then
                local borrowed = math.ceil(-counter.rest / MICRO)
                counter.spent, counter.rest = counter.spent - borrowed, counter.rest + borrowed * MICRO
            end
            if counter.spent < 0 then counter.spent, counter.rest = 0, 0 end
            table.sort(counter.parts, function(one, other) return one.number < other.number end)
        end
    end
    return counter
end

-- `within`: how long something may still be open on it.
local function save(counter, within)
    local part, name = counter.part, counter.name
    local life
    if part.kind == 'rate' then
        local all = counter.level + counter.held * part.per
        if all == 0 then redis.call('DEL', name) return end
        redis.call('HSET', name, 'level', text(counter.level), 'held', text(counter.held), 'at', text(now))
        life = math.ceil(all / math.max(part.count, 1)) + part.per
    elseif part.kind == 'concurrent' then
        if counter.running == 0 then redis.call('DEL', name) return end
        redis.call('HSET', name, 'running', text(counter.running))
        life = 0
    else
        redis.call('HSET', name, 'spent', text(counter.spent), 'rest', text(counter.rest), 'held', text(counter.held))
        if part.rolling then
            for _, number in ipairs(counter.gone) do redis.call('HDEL', name, 'm' .. number, 'r' .. number) end
            for _, it in ipairs(counter.parts) do
                if it.touched then
                    redis.call('HSET', name, 'm' .. text(it.number), text(it.micros), 'r' .. text(it.number), text(it.rest))
                end
            end
        end
        life = part.life or (part.rolling and part.rolling * 2)
    end
    if not life then
        redis.call('PERSIST', name)
        return
    end
    local longest = math.max(redis.call('PTTL', name), life + within + GRACE)
    redis.call('PEXPIRE', name, text(math.min(longest, MOST / 1024)))
end

local function spend(counter, micros, rest)
    counter.spent, counter.rest = counter.spent + micros, counter.rest + rest
    if counter.rest >= MICRO then
        counter.spent, counter.rest = counter.spent + 1, counter.rest - MICRO
    end
    counter.spent = math.min(counter.spent, MOST)
    if counter.length and (micros > 0 or rest > 0) then
        local number = math.floor(now / counter.length)
        local last = counter.parts[#counter.parts]
        if not last or last.number < number then
            last = { number = number, micros = 0, rest = 0 }
            counter.parts[#counter.parts + 1] = last
        end
        last.micros, last.rest, last.touched = last.micros + micros, last.rest + rest, true
    end
end

local function over(counter, amount)
    local part = counter.part
    return math.max(0, counter.level + (counter.held + amount) * part.per - part.count * part.per)
end

local function fits(counter)
    local part = counter.part
    if part.kind == 'rate' then return over(counter, part.amount) == 0 end
    if part.kind == 'concurrent' then return counter.running + part.amount <= part.most end
    return counter.spent + counter.held + part.amount <= part.limit
end

local function forgotten_in(counter, number)
    return math.max(0, (number + PARTS + 1) * counter.length - now)
end

-- When it would fit if nobody else came; -1: time does not help.
local function fits_in(counter)
    local part = counter.part
    if part.kind == 'rate' and part.amount <= part.count then
        return math.ceil(over(counter, part.amount) / math.max(part.count, 1))
    end
    if part.kind ~= 'money' or not counter.length then return -1 end
    local room = part.limit - counter.held - part.amount
    if room < 0 then return -1 end
    local micros, rest = counter.spent, counter.rest
    for _, it in ipairs(counter.parts) do
        micros, rest = micros - it.micros, rest - it.rest
        if micros + math.floor(rest / MICRO) <= room then return forgotten_in(counter, it.number) end
    end
    return -1
end

local function take(counter)
    local part = counter.part
    if part.kind == 'concurrent' then
        counter.running = counter.running + part.amount
    elseif part.unit == 'requests' then
        counter.level = counter.level + part.amount * part.per
    else
        counter.held = math.min(counter.held + part.amount, MOST)
    end
end

-- Used, held, and milliseconds until all is free (-1: time does not free it), to the end of an answer.
local function stand(counter, answer)
    local part = counter.part
    local used, held, reset = 0, 0, -1
    if part.kind == 'rate' then
        local all = counter.level + counter.held * part.per
        used, reset = math.ceil(all / part.per), math.ceil(all / math.max(part.count, 1))
    elseif part.kind == 'concurrent' then
        used = counter.running
    else
        used, held = math.min(counter.spent + counter.held, MOST), counter.held
        if counter.length then
            local last = counter.parts[#counter.parts]
            reset = last and forgotten_in(counter, last.number) or 0
        end
    end
    for _, number in ipairs({ math.min(used, MOST), held, math.min(reset, MOST) }) do
        answer[#answer + 1] = text(number)
    end
end

-- Ends a hold. `tokens`, `micros` and `rest` are what was used; none: as much as was held. Tells its counters of money by
-- place, before, after, and by how much more was used than was held.
local function finish(id, tokens, micros, rest)
    local name = base .. ':hold:' .. id
    local stored = redis.call('GET', name)
    if not stored or stored == 'never' then return nil end
    redis.call('DEL', name)
    redis.call('ZREM', base .. ':ends', id)
    local money, overrun = {}, 0
    for _, part in ipairs(cjson.decode(stored)) do
        if part.unit ~= 'requests' then
            local counter = load(part)
            if part.unit == 'concurrent' then
                counter.running = math.max(0, counter.running - part.amount)
            elseif part.unit == 'tokens' then
                counter.held = math.max(0, counter.held - part.amount)
                counter.level = counter.level + (tokens or part.amount) * part.per
            else
                local before = counter.spent
                counter.held = math.max(0, counter.held - part.amount)
                spend(counter, micros or part.amount, micros and rest or 0)
                if micros then
                    local ceiling = micros + (rest > 0 and 1 or 0)
                    overrun = math.max(overrun, ceiling - part.amount)
                end
                money[#money + 1] = part.place
                money[#money + 1] = text(before)
                money[#money + 1] = text(counter.spent)
            end
            save(counter, 0)
        end
    end
    return money, overrun
end

-- Ends some of what nobody settled: what is not known was used.
local function expire()
    local late = redis.call('ZRANGE', base .. ':ends', '-inf', now, 'BYSCORE', 'LIMIT', 0, 10)
    for _, id in ipairs(late) do
        finish(id, nil, nil, nil)
        redis.call('ZREM', base .. ':ends', id)
        redis.call('HINCRBY', base .. ':meta', 'recovered', 1)
    end
end
