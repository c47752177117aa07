-- A batch: five arguments per change, in their order: space, key, value (or the empty text: the key goes), life in
-- milliseconds (or the empty text: for ever), limit of the space in bytes (or the empty text: none).
for at = 2, #ARGV, 5 do
    local space, key, value, life, limit = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
    if value == '' then
        remove(space, key)
    else
        put(space, key, life, value, limit)
    end
end
for at = 2, #ARGV, 5 do
    make_room(ARGV[at], ARGV[at + 4])
end
return 1
