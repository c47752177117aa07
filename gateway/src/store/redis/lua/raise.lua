-- Makes a counter of money say at least this much: the part as JSON in a list, micro-dollars, millionths of one.
local counter = load(cjson.decode(ARGV[2])[1])
local micros, rest = tonumber(ARGV[3]) - counter.spent, tonumber(ARGV[4]) - counter.rest
if rest < 0 then micros, rest = micros - 1, rest + MICRO end
if micros >= 0 then
    spend(counter, micros, rest)
    save(counter, 0)
end
return { text(now) }
