"""A client and a server that know nothing of nftrace: what a program that asks would get."""

import ctypes, errno, fcntl, os, random, select, socket, struct, threading, time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
IP_MTU_DISCOVER, IP_RECVERR, IPV6_MTU_DISCOVER, IPV6_RECVERR, IP_PMTUDISC_DO, IP_PMTUDISC_DONT = (
    10, 11, 23, 25, 2, 0)
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}
# Before a packet is out: the own routing or its neighbour refused it.
UNSENT = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.EINVAL,
          errno.EADDRNOTAVAIL, errno.EMSGSIZE)


def inside(name, work):
    """Does something in a network namespace. Sockets that it opens stay there."""
    result = []

    def run():
        try:
            handle = os.open(f"/run/netns/{name}", os.O_RDONLY)
            try:
                if LIBC.setns(handle, CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            finally:
                os.close(handle)
            result.append((work(), None))
        except Exception as error:  # handed on to who waits
            result.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = result[0]
    if error:
        raise error
    return value


class Servers:
    """Listens at addresses: UDP answers with "R" and what it got, TCP accepts and closes."""

    def __init__(self, prefix, listens, tcp, udp):
        self.sockets = []
        for ns, addresses in listens.items():
            inside(f"{prefix}-{ns}", lambda: [self.open(a, tcp, udp) for a in addresses])
        self.ending = os.pipe()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def open(self, address, tcp, udp):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for kind, port in ((socket.SOCK_DGRAM, udp), (socket.SOCK_STREAM, tcp)):
            listener = socket.socket(family, kind)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((address, port))
            except OSError:
                listener.close()  # an element took the address away
                continue
            if kind == socket.SOCK_STREAM:
                listener.listen()
            listener.setblocking(False)
            self.sockets.append(listener)

    def serve(self):
        while True:
            ready, _, _ = select.select([self.ending[0], *self.sockets], [], [])
            if self.ending[0] in ready:
                return
            for listener in ready:
                try:
                    if listener.type == socket.SOCK_STREAM:
                        listener.accept()[0].close()
                    else:
                        data, peer = listener.recvfrom(65535)
                        listener.sendto(b"R" + data[:200], peer)
                except OSError:
                    pass

    def close(self):
        os.write(self.ending[1], b"x")
        self.thread.join()
        for listener in self.sockets:
            listener.close()
        for end in self.ending:
            os.close(end)


def ask(probe, patience):
    """Asks as a program does, in the namespace that this thread is in: "replied", "rejected", "lost" or
    "local-error"; and the source address, and what marks the packet's payload (none of TCP)."""
    mark = random.randbytes(max(12, min(probe.size, 65000)))
    try:
        if probe.asker == "t":
            return *through_tun(probe, mark, patience), mark[:12]
        asker = {"icmp": echo, "udp": datagram, "tcp": connection}[probe.protocol]
        return *asker(probe, mark, patience), mark[:12]
    except OSError as error:
        if error.errno in UNSENT:
            return "local-error", probe.source, mark[:12]
        raise


def prepared(probe, kind, protocol=0):
    version6 = ":" in probe.destination
    sock = socket.socket(socket.AF_INET6 if version6 else socket.AF_INET, kind, protocol)
    find = IP_PMTUDISC_DO if probe.df else IP_PMTUDISC_DONT
    if version6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, probe.ttl)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, probe.tos)
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, find)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, probe.ttl)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, probe.tos)
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, find)
    if probe.source:
        sock.bind((probe.source, 0))
    return sock, version6


def reports_errors(sock, version6):
    if version6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)


def sending(sock, octets):
    """A rule at OUTPUT that drops it is told to who sends; one that rejects it says more."""
    try:
        sock.send(octets)
    except PermissionError:
        pass


def datagram(probe, mark, patience):
    sock, version6 = prepared(probe, socket.SOCK_DGRAM)
    with sock:
        reports_errors(sock, version6)
        sock.connect((probe.destination, probe.port))
        source = sock.getsockname()[0]
        sending(sock, mark)
        sock.settimeout(patience)
        try:
            sock.recv(2000)
            return "replied", source
        except TimeoutError:
            return "lost", source
        except OSError:
            return "rejected", source


def connection(probe, mark, patience):
    """A connection is answered by its SYN-ACK, whatever becomes of what follows."""
    sock, version6 = prepared(probe, socket.SOCK_STREAM)
    protocol = socket.IPPROTO_ICMPV6 if version6 else socket.IPPROTO_ICMP
    # An error that comes while the call still holds the socket is not told to it: it would be next time.
    with (sock, socket.socket(sock.family, socket.SOCK_RAW, protocol) as errors,
          socket.socket(sock.family, socket.SOCK_RAW, socket.IPPROTO_TCP) as segments):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.setblocking(False)
        code = sock.connect_ex((probe.destination, probe.port))
        source, number = sock.getsockname()[:2]
        if code not in (0, errno.EINPROGRESS, errno.ECONNREFUSED, errno.EISCONN):
            raise OSError(code, "connect")
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([segments, errors], [], [], left)
            for ear in sorted(ready, key=lambda r: r is errors):
                data, peer = ear.recvfrom(65535)
                data = data if version6 else data[(data[0] & 15) * 4:]
                if ear is errors:
                    if heard(data, peer[0], probe.destination, version6, 6, number):
                        return "rejected", source
                elif peer[0] == probe.destination and struct.unpack_from("!HH", data) == (probe.port, number):
                    return "rejected" if data[13] & 4 else "replied", source
        return "lost", source


def echo(probe, mark, patience):
    version6 = ":" in probe.destination
    protocol = socket.IPPROTO_ICMPV6 if version6 else socket.IPPROTO_ICMP
    sock, _ = prepared(probe, socket.SOCK_RAW, protocol)
    with sock:
        number = random.randrange(1, 65535)
        head = struct.pack("!BBHHH", 128 if version6 else 8, 0, 0, number, 1)
        if not version6:
            head = head[:2] + struct.pack("!H", checksum(head + mark)) + head[4:]
        sock.connect((probe.destination, 0))
        source = sock.getsockname()[0]
        with socket.socket(sock.family, socket.SOCK_RAW, protocol) as ear:
            sending(sock, head + mark)
            end = time.monotonic() + patience
            while (left := end - time.monotonic()) > 0:
                ready, _, _ = select.select([ear], [], [], left)
                if not ready:
                    break
                data, peer = ear.recvfrom(65535)
                data = data if version6 else data[(data[0] & 15) * 4:]
                verdict = heard(data, peer[0], probe.destination, version6, 1, number)
                if verdict:
                    return verdict, source
        return "lost", source


def heard(icmp, peer, destination, version6, protocol, number):
    """What an ICMP message is to who asked: an answer, a refusal, or nothing. `number` is what the quoted
    packet is known by: the echo's identifier or the source port."""
    kind = icmp[0]
    if protocol == 1 and kind == (129 if version6 else 0) and peer == destination:
        return "replied" if struct.unpack_from("!H", icmp, 4)[0] == number else None
    if kind not in ((1, 2, 3, 4) if version6 else (3, 11, 12)):
        return None
    quoted = icmp[8:]
    if version6:
        aim, inner, at = quoted[24:40], quoted[6], 40
        if inner == 44:
            inner, at = quoted[40], 48
        family, wanted = socket.AF_INET6, {1: 58}.get(protocol, protocol)
    else:
        aim, inner, at = quoted[16:20], quoted[9], (quoted[0] & 15) * 4
        family, wanted = socket.AF_INET, protocol
    place = at + (4 if protocol == 1 else 0)
    if (inner == wanted and socket.inet_ntop(family, aim) == destination
            and struct.unpack_from("!H", quoted, place)[0] == number):
        return "rejected"
    return None


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(probe, mark, number):
    """The probe as octets, as a client's kernel would send it."""
    version6 = ":" in probe.destination
    family = socket.AF_INET6 if version6 else socket.AF_INET
    source, aim = (socket.inet_pton(family, a) for a in (probe.source, probe.destination))
    if probe.protocol == "icmp":
        protocol, at = 58 if version6 else 1, 2
        segment = struct.pack("!BBHHH", 128 if version6 else 8, 0, 0, number, 1) + mark
    elif probe.protocol == "udp":
        protocol, at = 17, 6
        segment = struct.pack("!HHHH", number, probe.port, 8 + len(mark), 0) + mark
    else:
        protocol, at = 6, 16
        segment = struct.pack("!HHIIBBHHH", number, probe.port, random.getrandbits(32), 0, 0x50, 2,
                              64240, 0, 0)
    pseudo = source + aim + struct.pack("!II", len(segment), protocol)
    summed = segment if probe.protocol == "icmp" and not version6 else pseudo + segment
    segment = segment[:at] + struct.pack("!H", checksum(summed)) + segment[at + 2:]
    if version6:
        return struct.pack("!IHBB", 6 << 28 | probe.tos << 20, len(segment), protocol,
                           probe.ttl) + source + aim + segment
    head = struct.pack("!BBHHHBBH", 0x45, probe.tos, 20 + len(segment), number,
                       0x4000 if probe.df else 0, probe.ttl, protocol, 0) + source + aim
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + segment


def through_tun(probe, mark, patience):
    number = random.randrange(20000, 60000)
    tun = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"tun7", 0x1001))  # TUNSETIFF: TUN, no header
        time.sleep(0.02)
        os.write(tun, packet(probe, mark, number))
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([tun], [], [], left)
            if ready and (verdict := taken(os.read(tun, 65535), probe, number)):
                return verdict, probe.source
        return "lost", probe.source
    finally:
        os.close(tun)


def taken(octets, probe, number):
    """What a packet is to the client behind the TUN device."""
    if octets[0] >> 4 == 6:
        protocol, at, family, peer, own = octets[6], 40, socket.AF_INET6, octets[8:24], octets[24:40]
    else:
        protocol, at = octets[9], (octets[0] & 15) * 4
        family, peer, own = socket.AF_INET, octets[12:16], octets[16:20]
    peer, own, segment = socket.inet_ntop(family, peer), socket.inet_ntop(family, own), octets[at:]
    if own != probe.source:
        return None
    if protocol in (1, 58):
        return heard(segment, peer, probe.destination, family == socket.AF_INET6,
                     PROTOCOLS[probe.protocol], number)
    if protocol != PROTOCOLS[probe.protocol] or peer != probe.destination:
        return None
    if struct.unpack_from("!HH", segment) != (probe.port, number):
        return None
    return "rejected" if protocol == 6 and segment[13] & 4 else "replied"
