-- Names for nftrace's sessions in Wireshark and tshark: at which hook and before which table a packet was seen, which
-- rule it met and what that decided, why the kernel dropped it. Wireshark's own dissectors do the rest.
--
--   tshark -X lua_script:nftrace.lua -r FILE -T fields -e frame.number -e nftrace.point -e nftrace.verdict
--
-- To have it always, put it into a directory of Lua plugins: Help, About, Folders.

local nftrace = Proto("nftrace", "nftrace")
local f = nftrace.fields
f.kind = ProtoField.string("nftrace.kind", "Kind")
f.point = ProtoField.string("nftrace.point", "Point")
f.hook = ProtoField.string("nftrace.hook", "Hook")
f.before = ProtoField.string("nftrace.table", "Seen behind")
f.input = ProtoField.string("nftrace.in", "In")
f.output = ProtoField.string("nftrace.out", "Out")
f.trace = ProtoField.uint32("nftrace.trace", "Trace", base.HEX)
f.rule_family = ProtoField.string("nftrace.rule.family", "Family of the rule")
f.rule_table = ProtoField.string("nftrace.rule.table", "Table of the rule")
f.rule_chain = ProtoField.string("nftrace.rule.chain", "Chain of the rule")
f.rule_handle = ProtoField.uint64("nftrace.rule.handle", "Handle of the rule")
f.verdict = ProtoField.string("nftrace.verdict", "Verdict")
f.reason = ProtoField.string("nftrace.drop.reason", "Drop reason of the kernel")
f.location = ProtoField.string("nftrace.drop.location", "Place in the kernel")

local netlink_hardware = Field.new("netlink.hatype")
local nflog_family = Field.new("nflog.family")
local nflog_hook = Field.new("nflog.hook")
local nflog_prefix = Field.new("nflog.prefix")
local nflog_in = Field.new("nflog.ifindex_indev")
local nflog_out = Field.new("nflog.ifindex_outdev")

local interface = Field.new("frame.interface_description")
local direction = Field.new("frame.packet_flags_direction")

local families = { [1] = "inet", [2] = "ip", [3] = "arp", [5] = "netdev", [7] = "bridge", [10] = "ip6" }
local hooks = { [0] = "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING", "INGRESS" }
local verdicts = {
  [0] = "drop", "accept", "stolen", [-1] = "continue", [-2] = "break", [-3] = "jump", [-4] = "goto", [-5] = "return",
}
-- What has no name in Wireshark: nf_tables, conntrack, and the lists that a session begins with.
local messages = {
  [1] = "header of the session", [16] = "interface", [17] = "interface gone", [18] = "list of interfaces",
  [20] = "address", [21] = "address gone", [22] = "list of addresses", [24] = "route", [25] = "route gone",
  [26] = "question for a route", [28] = "neighbour", [32] = "routing rule", [0x100] = "connection",
  [0x102] = "connection gone", [0x0a00] = "table", [0x0a02] = "table gone", [0x0a03] = "chain",
  [0x0a04] = "list of chains", [0x0a05] = "chain gone", [0x0a06] = "rule", [0x0a07] = "list of rules",
  [0x0a08] = "rule gone", [0x0a0f] = "generation of the ruleset",
}

-- The names of interfaces, by index, as the session tells them.
local devices = {}
function nftrace.init() devices = {} end

local function device(index) return devices[index] or ("interface " .. index) end

-- Numbers are in the order of the machine that wrote them: a length says which that is.
local function numbers(are_little)
  if are_little then return function(range) return range:le_uint() end end
  return function(range) return range:uint() end
end

-- The attributes from `first` to `last`, by type: ranges of the octets.
local function attributes(tvb, host, first, last)
  local found = {}
  while first + 4 <= last do
    local length = host(tvb(first, 2))
    if length < 4 or first + length > last then break end
    local kind = host(tvb(first + 2, 2)) % 0x4000
    if length > 4 then found[kind] = tvb(first + 4, length - 4) end
    first = first + math.ceil(length / 4) * 4
  end
  return found
end

local function text(range) return range and range:stringz() end

-- The words that there are, with blanks between.
local function join(...)
  local words = {}
  for number = 1, select("#", ...) do
    local word = select(number, ...)
    if word and word ~= "" then words[#words + 1] = word end
  end
  return table.concat(words, " ")
end

local function add(tree, field, range, value)
  if value == nil then return end
  if range then tree:add(field, range, value) else tree:add(field, value) end
end

-- A packet within the row, with its addresses in the columns. Of one that is cut off they say as much as they can.
local function dissect(packet, pinfo, tree)
  local version = math.floor(packet(0, 1):uint() / 16)
  local dissector = version == 4 and Dissector.get("ip") or version == 6 and Dissector.get("ipv6")
  if dissector then pcall(dissector.call, dissector, packet, pinfo, tree) end
end

-- The row of a packet that a rule of nftrace, or of somebody else, has logged.
local function logged(tvb, pinfo, tree)
  local prefix = nflog_prefix() and nflog_prefix().value:gsub("[ :]+$", "") or ""
  local hook = nflog_hook() and nflog_hook().value
  local name = hooks[hook]
  if nflog_family().value == 5 then name = hook == 0 and "INGRESS" or "EGRESS" end
  name = name or "?"
  local seen = prefix:upper():sub(-#name - 1) == "-" .. name and prefix:sub(1, -#name - 2) or nil
  local point = prefix ~= "" and prefix or name
  add(tree, f.kind, nil, "packet")
  add(tree, f.point, nil, point)
  add(tree, f.hook, nil, name)
  add(tree, f.before, nil, seen)
  if nflog_in() then add(tree, f.input, nil, device(nflog_in().value)) end
  if nflog_out() then add(tree, f.output, nil, device(nflog_out().value)) end
  if name == "EGRESS" then
    -- The payload of Ethernet begins with its header, which Wireshark takes for the packet's: behind the addresses
    -- stands the type that the message has as well.
    local values = attributes(tvb, numbers(tvb(4, 2):le_uint() < 256), 4, tvb:len())
    local payload = values[9]
    if payload and payload:len() > 14 and values[1] and payload(12, 2):uint() == values[1](0, 2):uint() then
      dissect(payload(14):tvb(), pinfo, tree)
    end
  end
  tree:append_text(", packet at " .. point)
  pinfo.cols.info:prepend("[" .. point .. "] ")
end

-- The row of a rule that a packet met.
local function met(tvb, host, last, pinfo, tree)
  local values = attributes(tvb, host, 36, last)
  local family = families[tvb(32, 1):uint()] or "?"
  local table_name, chain = text(values[1]) or "?", text(values[2]) or "?"
  local kind = values[4] and values[4]:uint()
  local verdict, target
  if values[5] then
    local nested = attributes(tvb, host, values[5]:offset(), values[5]:offset() + values[5]:len())
    local code = nested[1] and nested[1]:int()
    verdict = code and (verdicts[code] or (code % 256 == 3 and "queue " .. math.floor(code / 65536)))
    target = text(nested[2])
  end
  if kind == 1 and values[16] then verdict = verdicts[values[16]:int()] end
  local step = kind == 1 and "policy of" or kind == 2 and "end of" or
    "rule " .. (values[3] and tostring(values[3]:uint64()) or "?") .. " of"
  local words = join(step, "chain", chain, "(" .. family, table_name .. "):", verdict or "?", target)
  add(tree, f.kind, nil, table_name:sub(1, 8) == "nftrace_" and "own rule met" or "rule met")
  add(tree, f.trace, values[6], values[6] and values[6]:uint())
  add(tree, f.rule_family, nil, family)
  add(tree, f.rule_table, values[1], table_name)
  add(tree, f.rule_chain, values[2], chain)
  add(tree, f.rule_handle, values[3], values[3] and values[3]:uint64())
  add(tree, f.verdict, values[5], verdict)
  tree:append_text(", " .. words)
  pinfo.cols.info = words
end

-- The row of a packet that the kernel dropped.
local function dropped(tvb, host, last, pinfo, tree)
  local values = attributes(tvb, host, 32, last)
  local reason = text(values[3]) or (values[2] and "reason " .. host(values[2])) or "no reason given"
  add(tree, f.kind, nil, "drop")
  add(tree, f.reason, values[3], reason)
  add(tree, f.location, values[4], text(values[4]))
  if values[7] then dissect(values[7]:tvb(), pinfo, tree) end
  tree:append_text(", dropped by the kernel: " .. reason)
  pinfo.cols.info:prepend("[dropped: " .. reason .. "] ")
end

local function message(tvb, pinfo, root)
  -- Behind the 16 octets of its cooked header.
  local host = numbers(tvb(16, 4):le_uint() <= tvb:len() - 16)
  local last = math.min(16 + host(tvb(16, 4)), tvb:len())
  local kind = host(tvb(20, 2))
  local words = messages[kind]
  if not words and kind ~= 0x0a11 and kind ~= 0xff01 then return end
  local tree = root:add(nftrace)
  if kind == 0x0a11 then return met(tvb, host, last, pinfo, tree) end
  if kind == 0xff01 then return dropped(tvb, host, last, pinfo, tree) end
  local name
  if tvb:len() < 40 then
    name = nil
  elseif kind == 16 or kind == 17 then
    name = text(attributes(tvb, host, 48, last)[3])
    if name then devices[host(tvb(36, 4))] = name end
  elseif kind == 20 or kind == 21 then
    name = "at " .. device(host(tvb(36, 4)))
  elseif kind >= 0x0a00 and kind <= 0x0a08 then
    local values = attributes(tvb, host, 36, last)
    local chain = kind == 0x0a03 or kind == 0x0a05
    name = join(families[tvb(32, 1):uint()], text(values[1]), text(values[chain and 3 or 2]))
  end
  words = join(words, name)
  add(tree, f.kind, nil, messages[kind])
  tree:append_text(", " .. words)
  pinfo.cols.info = words
end

function nftrace.dissector(tvb, pinfo, root)
  if nflog_family() then return logged(tvb, pinfo, root:add(nftrace)) end
  if netlink_hardware() and tvb:len() >= 32 then return message(tvb, pinfo, root) end
  if interface() and interface().value == "packets that nftrace sent and received" then
    local tree = root:add(nftrace)
    local kind = direction() and direction().value == 1 and "received" or "sent"
    add(tree, f.kind, nil, kind)
    tree:append_text(", " .. kind .. " by nftrace")
    pinfo.cols.info:prepend("[" .. kind .. "] ")
  end
end

register_postdissector(nftrace)
