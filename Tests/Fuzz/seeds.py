"""Takes the recorded sessions and messages of this package apart, into what each fuzz target begins with.

  seeds.py DIRECTORY
"""
import glob, hashlib, os, re, struct, sys

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
output = sys.argv[1]


alike = set()


def keep(target, octets, *kind):
    """One file for the same octets, and for messages of one kind and length: the first says it all."""
    if kind:
        if (target, len(octets)) + kind in alike:
            return
        alike.add((target, len(octets)) + kind)
    directory = os.path.join(output, target)
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, hashlib.sha1(octets).hexdigest()[:16]), "wb") as file:
        file.write(octets)


def blocks(octets):
    """The blocks of a pcapng file: type and body."""
    at = 0
    while at + 12 <= len(octets):
        kind, length = struct.unpack_from("<II", octets, at)
        if length < 12 or at + length > len(octets):
            return
        yield kind, octets[at + 8:at + length - 4]
        at += length


def block(kind, body):
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def options(octets):
    """The options of a block: code and value."""
    while len(octets) >= 4:
        code, length = struct.unpack_from("<HH", octets)
        if code == 0:
            return
        yield code, octets[4:4 + length]
        octets = octets[4 + (length + 3) // 4 * 4:]


def message(octets):
    """A netlink message, for the targets that read its kind."""
    kind = struct.unpack_from("<H", octets, 4)[0]
    if kind == 0xFF01:
        keep("DropEvent", octets[16:], kind)
    elif kind < 0x100:
        keep("Route", octets, kind)
    else:
        keep("Netlink", octets, kind)


def record(kind, body):
    """What the story target reads of a block: the kind of its record, its time and its octets."""
    if kind == 6:
        interface, upper, lower, length = struct.unpack_from("<IIII", body)
        data = body[20:20 + length]
        if interface == 0:
            keep("Netlink", data, "log")
        elif interface == 1:
            data = data[16:]
            message(data)
        else:
            flags = b"".join(v for c, v in options(body[20 + (length + 3) // 4 * 4:]) if c == 2)
            interface = 3 if flags[:1] == b"\1" else 2
            keep("Diversion", b"\0\0\0\0" + data)
        return interface, upper << 32 | lower, data
    _, upper, lower = struct.unpack_from("<III", body)
    comment = b"".join(value for code, value in options(body[12:]) if code == 1)
    if not comment.startswith(b"nftrace note "):
        return 4, upper << 32 | lower, b"\0"
    data = comment[len(b"nftrace note "):]
    keep("State", data)
    return 5, upper << 32 | lower, data


def session(octets):
    """A session in parts that are small enough to be told by the thousand."""
    parts = list(blocks(octets))
    first = next((i for i, (kind, _) in enumerate(parts) if kind in (5, 6)), len(parts))
    if first == len(parts) or parts[0][0] != 0x0A0D0D0A:
        return
    comment = b"".join(value for code, value in options(parts[0][1][16:]) if code == 1)
    if parts[first][0] == 6:
        length = struct.unpack_from("<I", parts[first][1], 12)[0]
        beside = b"".join(v for c, v in options(parts[first][1][20 + (length + 3) // 4 * 4:]) if c == 1)
        if beside.startswith(b"nftrace session "):  # all of a header that is long
            keep("State", comment)
            comment = beside[len(b"nftrace session "):]
            first += 1
    keep("State", comment)
    header = struct.pack(">H", len(comment)) + comment
    beginning = b"".join(block(*part) for part in parts[:first])
    for start in range(first, len(parts), PART):
        if (start // PART + len(octets) // 4) % 8:
            continue
        rest = [part for part in parts[start:start + PART] if part[0] in (5, 6)]
        show = beginning + b"".join(block(*part) for part in rest)
        keep("Show", show)
        keep("Capture", show, len(rest))
        records, last = b"", None
        for what, time, data in (record(*part) for part in rest):
            later = min(max(time - (last or time), 0) // 1000, 0xFEFF)
            last = time
            records += struct.pack(">BHH", what, later, len(data)) + data
        keep("Story", header + records)


# Blocks of a part; one part in eight is taken, of each session others.
PART = 16

for path in glob.glob(root + "/fixtures/**/*.pcapng", recursive=True):
    with open(path, "rb") as file:
        session(file.read())

for path in glob.glob(root + "/fixtures/*.dmesg"):
    with open(path, "rb") as file:
        lines = file.read().splitlines(keepends=True)
    header = struct.pack(">H", 2) + b"{}"
    for start in range(0, len(lines), 6):
        keep("KernelLog", b"".join(lines[start:start + 6]))
        texts = [line.rstrip().split(b"] ", 1)[-1] for line in lines[start:start + 6]]
        keep("Story", header + b"".join(struct.pack(">BHH", 6, 1, len(text)) + text for text in texts))

# A line of hexadecimal digits in the text of a recording.
for path in glob.glob(root + "/Tests/Recordings/*.swift"):
    octets = b""
    with open(path) as file:
        for line in list(file) + ["end"]:
            if re.fullmatch(r"      [0-9a-f]+\n", line):
                octets += bytes.fromhex(line.strip())
            elif octets:
                message(octets)
                keep("Netlink", octets[16:], struct.unpack_from("<H", octets, 4)[0])
                octets = b""

keep("PrefixList", b"# comment\n10.0.0.0/8\n!10.1.0.0/16\n192.168.69.1\nfd00:69::/64 # why\n!fd00:69::1\n")
keep("Journal", b"nftrace-journal 1\nnamespace 4026532201 5 2f1c3a5e-1\nowner 1234 567890\n"
     b"sysctl net/ipv4/ip_forward 0 1 net/ipv4/conf/all/accept_redirects 1 0\n"
     b"netlink 1c000000210000000000000000000000080001000a000001\nnetns nftrace-lab-1-router\n"
     b"tables nftrace_1\nwithdrawn\n")
keep("Journal", b"nftrace-journal 1\nnamespace 1 0 %\nowner none\ntables nftrace_%25\n")
keep("State", b'{"schema":"nftrace-setup/1","subnets":["10.0.0.0/8"],"backend":"nflog","group":61440,'
     b'"tun":{"name":"tun0","isOurs":true,"addresses":["192.168.69.100/24"]},"masquerade":[],'
     b'"forward":true,"points":[{"hook":"forward","priority":1,"table":"filter","label":"f","chain":"c"}],'
     b'"since":1700000000,"process":7,"command":["nftrace","setup"],"boot":"b","records":true,'
     b'"session":"s","journals":["j"]}')
keep("State", b'{"schema":"nftrace-recorder/1","process":7,"start":5,"session":"s","limit":268435456,'
     b'"since":1700000000,"events":1,"lost":2,"dropped":{"records":3,"octets":4},"replans":5,"repairs":6,'
     b'"ended":1700000001,"error":"e"}')
keep("Proc", b"Ip: Forwarding DefaultTTL\nIp: 1 64\nIp6InReceives   \t7\n"
     b"Inter-|   Receive\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n")
keep("Proc", b"entries  searched drop\n00000001 0000000a ffffffff\n00000001 0000000a ffffffff\n")
keep("Proc", b"7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 567890 1 2\n")
keep("Proc", b'-A FORWARD -m comment --comment "a -c 1 2" -c 3 252 -j DROP\n')

keep("Collector", b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nRetry-After: 7\r\n\r\n\x0a\x0b\x08\x02\x12\x07too old")
keep("Collector", b"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\n\r\n")
keep("Collector", b"http://[fd00::1]:4318/x?y=z#w")
keep("Collector", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


def types():
    """BTF with a structure in a structure, an enumeration and a pointer to a function."""
    strings = b"\0s\0a\0b\0c\0e\0f\0x\0"
    name = {letter: strings.index(letter.encode() + b"\0") for letter in "sabcefx"}
    words = [
        name["x"], 1 << 24, 4, 32,                                       # 1: int x
        0, 4 << 24 | 1, 4, name["c"], 1, 0,                              # 2: struct { x c; }
        name["s"], 4 << 24 | 3, 12, name["a"], 1, 0, name["b"], 2, 32, 0, 2, 64,  # 3: struct s
        name["e"], 6 << 24 | 2, 4, name["a"], 0, name["b"], 1,            # 4: enum e
        0, 13 << 24 | 2, 0, 0, 1, 0, 3,                                  # 5: x (x, s)
        0, 2 << 24, 5,                                                   # 6: a pointer to it
        name["f"], 8 << 24, 6,                                           # 7: typedef f
    ]
    body = struct.pack("<%dI" % len(words), *words)
    return struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(strings)) + body + strings


keep("BTF", types())
