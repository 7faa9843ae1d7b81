"""Lua scripts (EVAL) for what the server must do in one step. Internal to `redis.py`.

The comment above each script names its arguments: KEYS are names in the server, ARGV are values.
`redis.py` and `redislock.py` decide what the replies mean.
"""

from .payload import MAX_BYTES

MAX_NUMBER = 100  # bytes of a time stamp; ours have 18
TIMES = ["accessed", MAX_NUMBER, "expires", MAX_NUMBER]
FIELDS = ["payload", MAX_BYTES, *TIMES]

# KEYS: record. ARGV, from `first` on: names of fields, each with its limit in bytes. A longer field is
# left out, and so are all fields of a record that is not a hash.
_READ = """
local function read(found, first)
    for i = first, #ARGV, 2 do
        local size = redis.pcall('HSTRLEN', KEYS[1], ARGV[i])
        if type(size) == 'table' then
            if not string.find(size.err, 'WRONGTYPE', 1, true) then return size end
            found[#found + 1] = false
        elseif size > tonumber(ARGV[i + 1]) then
            found[#found + 1] = false
        else
            found[#found + 1] = redis.call('HGET', KEYS[1], ARGV[i])
        end
    end
    return found
end
"""
# KEYS: record. ARGV: fields.
LOAD = f"""{_READ}
if redis.call('EXISTS', KEYS[1]) == 0 then return {{'none'}} end
return read({{'record'}}, 1)
"""
# KEYS: record, lock. ARGV: token, ms until it ends, fields.
LOCK = f"""{_READ}
if redis.call('EXISTS', KEYS[1]) == 0 then return {{'none'}} end
if redis.call('EXISTS', KEYS[2]) == 1 then return {{'taken'}} end
local found = read({{'locked'}}, 3)
if not found.err then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return found
"""
# KEYS: lock. ARGV: token, ms until it ends.
EXTEND = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
# KEYS: record, lock, stamp. ARGV: payload, accessed, expires, ms to keep it, now.
CREATE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SET', KEYS[3], ARGV[5], 'NX')
redis.call('HSET', KEYS[1], 'payload', ARGV[1], 'accessed', ARGV[2], 'expires', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""
# KEYS: record, lock. ARGV: payload, accessed, expires, ms to keep it, token ('' without a lock).
SAVE = """
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[5] then return 0 end
redis.call('HSET', KEYS[1], 'payload', ARGV[1], 'accessed', ARGV[2], 'expires', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('DEL', KEYS[2])
return 1
"""
# KEYS: record, lock. ARGV: token ('' without a lock).
DELETE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
"""
# KEYS: lock. ARGV: token.
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
# KEYS: record. ARGV: accessed, idle, now, the shortest and the longest time to keep it in ms, and the
# beginning of a payload that has a lifetime of its own.
TOUCH = """
local text = redis.pcall('HGET', KEYS[1], 'expires')
local expires = type(text) == 'string' and tonumber(text)
if not expires then return end
redis.call('HSET', KEYS[1], 'accessed', ARGV[1])
local payload = redis.pcall('HGET', KEYS[1], 'payload')
local ends = expires
if type(payload) ~= 'string' or string.sub(payload, 1, #ARGV[6]) ~= ARGV[6] then
    ends = math.min(tonumber(ARGV[1]) + tonumber(ARGV[2]), expires)
end
local left = ends - tonumber(ARGV[3])
left = math.max(tonumber(ARGV[4]), math.min(tonumber(ARGV[5]), math.ceil(left * 1000)))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left))
"""
# KEYS: record, new name.
SET_ASIDE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('PERSIST', KEYS[2])
"""
