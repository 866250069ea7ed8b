-- sightmix for DaVinci Resolve: a script behind Workspace > Scripts, "sightmix" or "sightmix panel".
-- Written by "sightmix resolve install", removed by "sightmix resolve uninstall".
-- It looks for a waiting sightmix on this machine, does for it the calls listed in METHODS and nothing else, and ends.
-- Resolve 21.1 gives scripts of its free edition no io, ffi, require or os.execute, so each is used only where it is.

local PROTOCOL = @PROTOCOL@
local FOLDER = @FOLDER@      -- where the session is found; empty: worked out from the environment
local COMMAND = @COMMAND@    -- starts sightmix, where scripts may start programs
local OPENS = @OPENS@        -- the same, to be typed in a terminal
local METHODS = @METHODS@    -- kind -> method -> what comes back
local PATHS = @PATHS@        -- "Kind.Method" -> which argument holds paths
local ENUMS = @ENUMS@

local IDLE, BUSY = 0.1, 0.02  -- seconds between looks
local LOST = @LOST@           -- seconds without a sign of life from the other side

local function say(text) print("sightmix: " .. text) end

---------------------------------------------------------------- JSON

local escapes = {['"'] = '\\"', ['\\'] = '\\\\', ['\b'] = '\\b', ['\f'] = '\\f', ['\n'] = '\\n', ['\r'] = '\\r',
    ['\t'] = '\\t'}

local function quoted(text)
    return '"' .. text:gsub('[%c"\\\127]', function(c)
        return escapes[c] or string.format('\\u%04x', c:byte())
    end) .. '"'
end

local function number_text(value)
    if value ~= value or value == math.huge or value == -math.huge then return 'null' end
    if value == math.floor(value) and math.abs(value) < 2 ^ 53 then return string.format('%d', value) end
    return string.format('%.17g', value)
end

local encode

local function encode_table(value)
    local parts = {}
    if #value > 0 then
        for i = 1, #value do parts[i] = encode(value[i]) end
        return '[' .. table.concat(parts, ',') .. ']'
    end
    for key, item in pairs(value) do
        -- Resolve marks its lists with a key of its own.
        if key ~= '__flags' then parts[#parts + 1] = quoted(tostring(key)) .. ':' .. encode(item) end
    end
    if #parts == 0 then return '[]' end
    return '{' .. table.concat(parts, ',') .. '}'
end

function encode(value)
    local kind = type(value)
    if kind == 'string' then return quoted(value) end
    if kind == 'number' then return number_text(value) end
    if kind == 'boolean' then return tostring(value) end
    if kind == 'table' then return encode_table(value) end
    return 'null'
end

local function utf8(code)
    if code < 0x80 then return string.char(code) end
    if code < 0x800 then return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
    if code < 0x10000 then
        return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
    end
    return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
        0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local unescapes = {b = '\b', f = '\f', n = '\n', r = '\r', t = '\t'}

local function decode_string(text, at)
    local parts = {}
    while true do
        local stop = text:find('["\\]', at) or error('string without end')
        parts[#parts + 1] = text:sub(at, stop - 1)
        if text:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
        local mark = text:sub(stop + 1, stop + 1)
        at = stop + 2
        if mark == 'u' then
            local code = tonumber(text:sub(at, at + 3), 16) or error('bad escape')
            at = at + 4
            if code >= 0xD800 and code < 0xDC00 and text:sub(at, at + 1) == '\\u' then
                local low = tonumber(text:sub(at + 2, at + 5), 16) or error('bad escape')
                code = 0x10000 + (code - 0xD800) * 1024 + (low - 0xDC00)
                at = at + 6
            end
            parts[#parts + 1] = utf8(code)
        else
            parts[#parts + 1] = unescapes[mark] or mark
        end
    end
end

local decode_value

local function skip(text, at) return text:match('^%s*()', at) end

local function decode_items(text, at, close, take)
    at = skip(text, at)
    if text:sub(at, at) == close then return at + 1 end
    while true do
        at = skip(text, take(at))
        local mark = text:sub(at, at)
        if mark == close then return at + 1 end
        if mark ~= ',' then error('no comma') end
        at = skip(text, at + 1)
    end
end

function decode_value(text, at)
    at = skip(text, at)
    local mark = text:sub(at, at)
    if mark == '"' then return decode_string(text, at + 1) end
    if mark == '[' then
        local list = {}
        local stop = decode_items(text, at + 1, ']', function(from)
            local value, next_at = decode_value(text, from)
            list[#list + 1] = value
            return next_at
        end)
        return list, stop
    end
    if mark == '{' then
        local object = {}
        local stop = decode_items(text, at + 1, '}', function(from)
            local key, after = decode_string(text, from + 1)
            after = skip(text, after)
            if text:sub(after, after) ~= ':' then error('no colon') end
            local value, next_at = decode_value(text, after + 1)
            object[key] = value
            return next_at
        end)
        return object, stop
    end
    for word, value in pairs({['true'] = true, ['false'] = false}) do
        if text:sub(at, at + #word - 1) == word then return value, at + #word end
    end
    if text:sub(at, at + 3) == 'null' then return nil, at + 4 end
    local digits = text:match('^-?[%d.eE+-]+', at) or error('not JSON')
    return tonumber(digits) or error('not a number'), at + #digits
end

local function decode(text)
    local good, value = pcall(decode_value, text, 1)
    if good then return value end
    return nil
end

---------------------------------------------------------------- what this Lua can do

local function wait(seconds)
    if bmd and bmd.wait then bmd.wait(seconds) end
end

local function hex(text)
    return (text:gsub('.', function(c) return string.format('%02x', c:byte()) end))
end

local function unhex(text)
    return (text:gsub('%x%x', function(pair) return string.char(tonumber(pair, 16)) end))
end

-- A file that returns one string of hexadecimal JSON. It runs with no globals at all, so it can do nothing else.
local function load_message(path)
    local chunk = loadfile(path)
    if not chunk then return nil end
    if setfenv then setfenv(chunk, {}) end
    local good, text = pcall(chunk)
    if not good or type(text) ~= 'string' then return nil end
    return decode(unhex(text))
end

local function session_folder()
    if FOLDER ~= '' then return FOLDER end
    local function env(name) return os and os.getenv and os.getenv(name) end
    if env('LOCALAPPDATA') then return env('LOCALAPPDATA') .. '\\sightmix\\resolve' end
    local home = env('HOME') or ''
    if bmd and bmd.direxists and bmd.direxists('/Applications') then
        return home .. '/Library/Application Support/sightmix/resolve'
    end
    return (env('XDG_DATA_HOME') or (home .. '/.local/share')) .. '/sightmix/resolve'
end

local folder = session_folder()
local slash = folder:find('\\', 1, true) and '\\' or '/'

local function random_name()
    if bmd and bmd.createuuid then return (bmd.createuuid():gsub('[^%w]', '')) end
    math.randomseed((os and os.time and os.time() or 0) + math.floor((os and os.clock and os.clock() or 0) * 1e6)
        + (tonumber((tostring({}):match('0x(%x+)') or '0'):sub(-6), 16) or 0))
    return string.format('%08x%08x', math.random(0, 0x7fffffff), math.random(0, 0x7fffffff))
end

local me = random_name()

---------------------------------------------------------------- doing the calls

local objects, kinds = {[0] = resolve}, {[0] = 'Resolve'}
local known = 0
local work = ''
local guarded = nil

local function keep(object, kind)
    known = known + 1
    objects[known], kinds[known] = object, kind
    return {['$'] = known}
end

local function inside(path)
    if type(path) ~= 'string' or work == '' then return false end
    local plain, base = path:gsub('\\', '/'), work:gsub('\\', '/')
    if (plain .. '/'):find('/%.%./') then return false end
    return plain:sub(1, #base + 1) == base .. '/'
end

local function check_paths(kind, method, args)
    local place = PATHS[kind .. '.' .. method]
    if not place then return end
    local given = args[place + 1]
    if type(given) ~= 'table' then given = {given} end
    if #given == 0 then error('no path') end
    for _, path in ipairs(given) do
        if not inside(path) then error('a path outside the session folder') end
    end
end

local function incoming(value)
    if type(value) ~= 'table' then return value end
    if value['$'] then return objects[value['$']] or error('an object nobody knows') end
    if value.enum then
        if not ENUMS[value.enum] then error('a constant nobody knows') end
        return resolve[value.enum]
    end
    local made = {}
    for key, item in pairs(value) do made[key] = incoming(item) end
    return made
end

local function outgoing(value, made)
    if value == nil or made == 'value' then
        if type(value) == 'userdata' or type(value) == 'function' then return nil end
        return value
    end
    if made:sub(-1) ~= '*' then return keep(value, made) end
    local list = {}
    for i = 1, #value do list[i] = keep(value[i], made:sub(1, -2)) end
    return list
end

local function run_call(call)
    local object, kind = objects[call.on], kinds[call.on]
    local made = kind and METHODS[kind][call.method]
    if not made then error('a call that is not in the list') end
    check_paths(kind, call.method, call.args)
    local args = {}
    for i = 1, #call.args do args[i] = incoming(call.args[i]) end
    local method = object[call.method]
    if not method then error('this Resolve has no such call') end
    return outgoing(method(object, unpack(args)), made)
end

-- The other side is lost: what it was building goes, the editor's timeline comes back.
local function undo()
    if not guarded then return end
    local copy, original = guarded.copy, guarded.original
    guarded = nil
    pcall(function()
        local project = resolve:GetProjectManager():GetCurrentProject()
        project:SetCurrentTimeline(original)
        project:GetMediaPool():DeleteTimelines({copy})
        say('the connection was lost; the unfinished copy was removed, your timeline is as it was')
    end)
end

-- Each value in a table of its own, since a list cannot hold nil.
local function run_many(call)
    local values = {}
    for i = 1, #call.calls do values[i] = {v = run_call(call.calls[i])} end
    return values
end

local operations = {
    call = run_call,
    many = run_many,
    guard = function(call) guarded = {copy = objects[call.copy], original = objects[call.original]} end,
    release = function() guarded = nil end,
    bye = function() guarded = nil end,
}

local last_id, last_reply = 0, nil

-- A call is done once, however often it is handed over.
local function serve(call)
    if call.id == last_id then return last_reply end
    local operation = operations[call.op]
    local good, value = pcall(operation or function() error('an operation nobody knows') end, call)
    last_id = call.id
    last_reply = {id = call.id, ok = good}
    if good then last_reply.value = value else last_reply.error = tostring(value):gsub('^.-:%d+: ', '') end
    return last_reply
end

local function hello(transport)
    return {protocol = PROTOCOL, transport = transport, product = resolve:GetProductName(),
        version = resolve:GetVersionString()}
end

---------------------------------------------------------------- HTTP over LuaJIT's ffi, where scripts have it

local function sockets()
    local good, ffi = pcall(function() return ffi or require('ffi') end)
    if not good or not ffi then return nil end
    local windows = ffi.os == 'Windows'
    local declared = pcall(ffi.cdef, [[
        struct sightmix_in { uint16_t family; uint16_t port; uint32_t address; char zero[8]; };
        struct sightmix_in_bsd { uint8_t length; uint8_t family; uint16_t port; uint32_t address; char zero[8]; };
    ]])
    if not declared then return nil end
    if windows then
        pcall(ffi.cdef, [[
            uintptr_t socket(int, int, int); int connect(uintptr_t, const void *, int);
            int send(uintptr_t, const char *, int, int); int recv(uintptr_t, char *, int, int);
            int closesocket(uintptr_t); int WSAStartup(uint16_t, void *);
        ]])
        local lib = ffi.load('ws2_32')
        lib.WSAStartup(0x0202, ffi.new('char[1024]'))
        return {ffi = ffi, lib = lib, close = function(s) lib.closesocket(s) end}
    end
    pcall(ffi.cdef, [[
        int socket(int, int, int); int connect(int, const void *, unsigned int);
        long send(int, const char *, size_t, int); long recv(int, char *, size_t, int); int close(int);
    ]])
    return {ffi = ffi, lib = ffi.C, close = function(s) ffi.C.close(s) end}
end

local function address_of(net, port)
    local bsd = net.ffi.os == 'OSX' or net.ffi.os == 'BSD'
    local address = net.ffi.new(bsd and 'struct sightmix_in_bsd' or 'struct sightmix_in')
    if bsd then address.length = 16 end
    address.family = 2
    local swapped = net.ffi.cast('uint8_t *', address) + 2
    swapped[0], swapped[1] = math.floor(port / 256), port % 256
    local place = net.ffi.cast('uint8_t *', address) + 4
    place[0], place[1], place[2], place[3] = 127, 0, 0, 1
    return address
end

local function exchange(net, port, text)
    local s = net.lib.socket(2, 1, 0)
    if tonumber(s) < 0 or tonumber(s) > 2 ^ 40 then return nil end
    local received = {}
    if net.lib.connect(s, address_of(net, port), 16) == 0 then
        local sent = 0
        while sent < #text do
            local part = text:sub(sent + 1, sent + 65536)
            local count = tonumber(net.lib.send(s, part, #part, net.ffi.os == 'Linux' and 0x4000 or 0))
            if count <= 0 then break end
            sent = sent + count
        end
        local buffer = net.ffi.new('char[65536]')
        while sent == #text do
            local count = tonumber(net.lib.recv(s, buffer, 65536, 0))
            if count <= 0 then break end
            received[#received + 1] = net.ffi.string(buffer, count)
        end
    end
    net.close(s)
    local answer = table.concat(received)
    return tonumber(answer:match('^HTTP/1%.%d (%d+)')), answer:match('\r\n\r\n(.*)$')
end

local function http(session, net)
    local function post(message)
        message.client = me
        local body = encode(message)
        return exchange(net, session.port, table.concat({'POST /v1/next HTTP/1.0', 'Host: 127.0.0.1:' .. session.port,
            'Authorization: Bearer ' .. session.token, 'Content-Type: application/json',
            'Content-Length: ' .. #body, '', body}, '\r\n'))
    end
    local message, silent = {hello = hello('http')}, 0
    local answered = false
    while true do
        local status, body = post(message)
        if status == 200 then
            answered, silent, message = true, 0, {}
            local call = (decode(body) or {}).call
            if call then
                message = serve(call)
                if call.op == 'bye' then post(message) return true end
            end
            wait(call and 0 or BUSY)
        elseif status then
            say((decode(body or '') or {}).error or 'refused')
            return true
        else
            if not answered then return false end
            silent = silent + IDLE
            if silent > 3 then return true end
            wait(IDLE)
        end
    end
end

---------------------------------------------------------------- the mailbox

local function write_file(path, text)
    if not (io and io.open and os and os.rename) then return false end
    local file = io.open(path .. '.part', 'wb')
    if not file then return false end
    file:write(text)
    file:close()
    return os.rename(path .. '.part', path) and true or false
end

local KEY = 'Global.Sightmix.SightmixReply'

-- Replies go by the first of these that the other side notices: a file; Fusion's preferences saved to a file of ours;
-- Fusion's own preferences.
local channels = {
    function(text) return write_file(folder .. slash .. 'reply.txt', text) end,
    function(text)
        if not (fusion and fusion.SetPrefs) then return false end
        return pcall(function()
            fusion:SetPrefs(KEY, text)
            fusion:SavePrefs(folder .. slash .. 'reply.prefs')
        end)
    end,
    function(text)
        if not (fusion and fusion.SetPrefs) then return false end
        return pcall(function()
            fusion:SetPrefs(KEY, text)
            fusion:SavePrefs()
        end)
    end,
}

local function mailbox(session)
    local channel, sequence, silent, beat = 1, 0, 0, nil
    local outbox, waited = nil, 0
    local function look() return load_message(folder .. slash .. 'request.lua') end
    local function send(message, word)
        sequence = sequence + 1
        message.client, message.seq, message.word = me, sequence, word
        outbox, waited = hex(encode(message)), 0
        while channel <= #channels and not channels[channel](outbox) do channel = channel + 1 end
        return channel <= #channels
    end
    local function finish()
        if channel > 1 then pcall(function() fusion:SetPrefs(KEY, '') end) end
        if channel == 3 then pcall(function() fusion:SavePrefs() end) end
        return true
    end
    if not send({hello = hello('mailbox')}, session.greeting) then
        say('this Resolve lets scripts neither write files nor keep preferences')
        return false
    end
    local served, ending, eager = 0, false, 0
    local pause = IDLE
    while true do
        -- After a call the next one mostly follows at once.
        pause = (outbox or eager > 0) and BUSY or IDLE
        eager = eager - 1
        wait(pause)
        local state = look()
        if ending and not state then return finish() end
        if state and state.token == session.token then
            if state.beat ~= beat then beat, silent = state.beat, 0 end
            if state.client and state.client ~= '' and state.client ~= me then
                say('another script is connected')
                return finish()
            end
            if state.client == me and state.seen >= sequence then outbox = nil end
            local call = state.client == me and state.call
            if call and call.id ~= served then
                served = call.id
                local reply = serve(call)
                send(reply, state.word)
                eager = 50
                ending = call.op == 'bye'
            end
            if ending and not outbox then return finish() end
        end
        silent = silent + pause
        if silent > LOST then return finish() end
        if outbox then
            waited = waited + pause
            -- Not noticed: try the next way, the same message.
            if waited > 2 and channel < #channels then
                channel, waited = channel + 1, 0
                while channel <= #channels and not channels[channel](outbox) do channel = channel + 1 end
                if channel > #channels then return finish() end
            end
        end
    end
end

---------------------------------------------------------------- begin

local function find_session()
    local session = load_message(folder .. slash .. 'session.lua')
    if session and session.protocol ~= PROTOCOL then
        say('this script is of another version; run "sightmix resolve install" again')
        return nil
    end
    return session
end

local function main()
    if not resolve then return say('run this inside DaVinci Resolve') end
    local session = find_session()
    if not session and COMMAND ~= '' and os and os.execute then
        say('starting')
        os.execute(COMMAND)
        for _ = 1, 300 do
            session = find_session()
            if session then break end
            wait(IDLE)
        end
    end
    if not session then return say('nobody is waiting: run "' .. OPENS .. '" in a terminal first') end
    work = session.work
    local net = sockets()
    local done = net and http(session, net)
    if not done then mailbox(session) end
    undo()
    say('done')
end

main()
