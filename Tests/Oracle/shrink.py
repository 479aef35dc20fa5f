"""Makes a case that disagrees as small as it still does, and tells it as a shell script."""

import shlex
from dataclasses import replace

from judge import PATIENCE, Elsewhere, Unbuilt
from network import TCP_PORT, UDP_PORT


def smallest(case, aspect, verdict, judge):
    """The case without all elements that the difference does not need, and what is said of it."""
    at = len(case.elements) - 1
    while at >= 0:
        fewer = replace(case, elements=case.elements[:at] + case.elements[at + 1:])
        try:
            found = judge(fewer)
        except (Unbuilt, Elsewhere):
            found = None
        # The same difference: what is told and what is so may not become another.
        if (found and found.differences.get(aspect)
                and found.told.split(" (")[0] == verdict.told.split(" (")[0]
                and found.truth.split(";")[0] == verdict.truth.split(";")[0]):
            case, verdict = fewer, found
        at -= 1
    return case, verdict


SERVE = """import select, socket, sys
def listen(address, kind, port):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM: s.listen()
    return s
all = [listen(a, *k) for a in sys.argv[1:] for k in ((socket.SOCK_STREAM, %d), (socket.SOCK_DGRAM, %d))]
while True:
    for s in select.select(all, [], [])[0]:
        if s.type == socket.SOCK_STREAM: s.accept()[0].close()
        else: data, peer = s.recvfrom(65535); s.sendto(b"R" + data[:200], peer)""" % (TCP_PORT, UDP_PORT)

ASK = """import socket, sys
kind, source, aim, port, size, ttl, tos = sys.argv[1:]
six = ":" in aim
s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, getattr(socket, kind))
level, hops, service = (41, 16, 67) if six else (0, 2, 1)
s.setsockopt(level, hops, int(ttl)); s.setsockopt(level, service, int(tos))
s.settimeout(1)
if source: s.bind((source, 0))
try:
    s.connect((aim, int(port)))
    if kind == "SOCK_DGRAM": s.send(b"x" * int(size)); s.recv(2000)
    print("the client: answered")
except OSError as error: print("the client:", error)"""


def client(probe):
    """The line that asks as the client does."""
    if probe.asker == "t":
        return ": the client is behind tun7: no program stands for it here"
    start = f"ip netns exec $P-{probe.asker}"
    if probe.protocol == "icmp":
        more = (["-I", probe.source] if probe.source else []) + (["-M", "do"] if probe.df else [])
        return f"{start} " + shlex.join(["ping", "-c1", "-W1", "-s", str(probe.size), "-t", str(probe.ttl),
                                         "-Q", str(probe.tos), *more, probe.destination])
    kind = "SOCK_STREAM" if probe.protocol == "tcp" else "SOCK_DGRAM"
    return f'{start} python3 -c "$ask" ' + shlex.join(
        [kind, probe.source or "", probe.destination, *map(str, (probe.port, probe.size, probe.ttl, probe.tos))])


def standing_alone(case, verdict):
    """A shell script that builds the network, asks as the client does and with nftrace, and removes it."""
    said = [f"# {line}" for line in (f"truth: {verdict.truth}\ntold:  {verdict.told}".splitlines()
                                     if verdict else [])]
    servers = [f'ip netns exec $P-{ns} python3 -c "$serve" {" ".join(addresses)} & servers="$servers $!"'
               for ns, addresses in case.listens().items()]
    return "\n".join([
        "#!/bin/sh",
        f"# Seed {case.seed}, IPv{case.version}. Run it as root, with nftrace in $NFTRACE.",
        *said,
        "P=nfo$$",
        "trap 'kill $servers; "
        f"for n in {' '.join(case.namespaces)}; do ip netns del $P-$n; done' EXIT",
        "set -e",
        case.script().rstrip(),
        "set +e",
        f"serve={shlex.quote(SERVE)}",
        f"ask={shlex.quote(ASK)}",
        *servers,
        "sleep 0.5",
        client(case.probe),
        f'"${{NFTRACE:-nftrace}}" ping --netns $P-r -W {PATIENCE} {shlex.join(case.probe.arguments())}',
        ""])
