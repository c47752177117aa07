-- A page: space, first bound, last bound, how many are looked at. Answers by turns keys, values (none: expired) and ends
-- (none: for ever).
local keys = redis.call('ZRANGEBYLEX', base .. ':order:' .. ARGV[2], ARGV[3], ARGV[4], 'LIMIT', 0, ARGV[5])
local found = {}
for _, key in ipairs(keys) do
    found[#found + 1] = key
    found[#found + 1] = redis.call('GET', base .. ':v:' .. key)
    found[#found + 1] = redis.call('ZSCORE', base .. ':due:' .. ARGV[2], key)
end
return found
