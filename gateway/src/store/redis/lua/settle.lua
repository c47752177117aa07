-- Ends a hold: id, tokens, micro-dollars, millionths of one (each the empty text: as much as was held). Answers the time,
-- whether there was such a hold, by how much more was used, and the counters of money.
local micros = tonumber(ARGV[4])
local money, overrun = finish(ARGV[2], tonumber(ARGV[3]), micros, micros and tonumber(ARGV[5]))
expire()
if not money then
    -- It may still be on its way: then it comes too late.
    redis.call('SET', base .. ':hold:' .. ARGV[2], 'never', 'PX', 120000)
    return { text(now), '0', '0' }
end
local answer = { text(now), '1', text(math.min(overrun, MOST)) }
for _, it in ipairs(money) do answer[#answer + 1] = it end
return answer
