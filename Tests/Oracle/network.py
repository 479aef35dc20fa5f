"""A network in text: the words of its addresses, and the shell script that builds it."""

from dataclasses import dataclass, field

V4 = dict(
    c="10.1.1.10", d="10.1.1.11", lan="10.1.1.1", lannet="10.1.1.0/24", deadlan="10.1.1.99",
    up="10.2.0.2", gw="10.2.0.1", upnet="10.2.0.0/24", deadup="10.2.0.99",
    up2="10.3.0.2", gw2="10.3.0.1", up2net="10.3.0.0/24",
    tun="10.4.0.1", t="10.4.0.2", tunnet="10.4.0.0/24",
    dst="203.0.113.7", dst2="203.0.113.8", nobody="203.0.113.99", dstnet="203.0.113.0/24",
    vip="198.51.100.5", foreign="192.0.2.55", everything="0.0.0.0/0", length="24", host="32",
    family="ip", icmp="icmp", loopback="127.0.0.1")
V6 = dict(
    c="fd01::10", d="fd01::11", lan="fd01::1", lannet="fd01::/64", deadlan="fd01::99",
    up="fd02::2", gw="fd02::1", upnet="fd02::/64", deadup="fd02::99",
    up2="fd03::2", gw2="fd03::1", up2net="fd03::/64",
    tun="fd04::1", t="fd04::2", tunnet="fd04::/64",
    dst="2001:db8:7::7", dst2="2001:db8:7::8", nobody="2001:db8:7::99", dstnet="2001:db8:7::/64",
    vip="2001:db8:5::5", foreign="2001:db8:9::55", everything="::/0", length="64", host="128",
    family="ip6", icmp="icmpv6", loopback="::1")

TCP_PORT, UDP_PORT = 80, 53          # what the server, the client and the router listen on
CLOSED_TCP, CLOSED_UDP = 81, 54


@dataclass
class Element:
    """One thing that can be left out: a line for ip(8), sysctl(8), nft(8) or the shell, in a namespace."""

    ns: str
    kind: str  # "ip", "sysctl", "nft" or "sh"
    text: str


@dataclass
class Probe:
    """What is asked, by whom, and how nftrace is told to ask the same."""

    asker: str  # the namespace whose program asks; "t" is one behind the router's TUN device
    source: str | None
    destination: str
    protocol: str
    port: int | None = None
    ttl: int = 64
    size: int = 56
    df: bool = False
    tos: int = 0
    entrance: list[str] = field(default_factory=list)

    def arguments(self):
        words = [*self.entrance, "-p", self.protocol]
        if self.source:
            words += ["-s", self.source]
        if self.port:
            words += ["--dport", str(self.port)]
        if self.ttl != 64:
            words += ["-t", str(self.ttl)]
        if self.protocol != "tcp" and self.size != 56:
            words += ["--size", str(self.size)]
        words += ["--df" if self.df else "--no-df"]
        if self.tos:
            words += ["--tos", str(self.tos)]
        return [*words, self.destination]


@dataclass
class Case:
    seed: int
    version: int
    bridged: bool
    uplinks: int
    tun: bool
    elements: list[Element]
    probe: Probe

    @property
    def words(self):
        return V4 if self.version == 4 else V6

    @property
    def namespaces(self):
        return ["c", "r", "s"] + (["d"] if self.bridged else [])

    def listens(self):
        """By namespace, the addresses at which somebody listens."""
        w = self.words
        listens = {"c": [w["c"]], "s": [w["gw"], w["dst"], w["dst2"]],
                   "r": [w["lan"], w["up"], w["loopback"]]}
        if self.bridged:
            listens["d"] = [w["d"]]
        if self.uplinks > 1:
            listens["s"].append(w["gw2"])
            listens["r"].append(w["up2"])
        return listens

    def links(self):
        """The router's interfaces."""
        return (["lan0"] + (["lan1", "br0"] if self.bridged else []) + ["wan0"]
                + (["wan1"] if self.uplinks > 1 else []) + (["tun7"] if self.tun else []))

    def foundation(self):
        """What stands before any element: links and addresses, nothing that decides over a packet."""
        w, made = self.words, []
        # Ends with the same number are no urgent matter to the kernel: their carrier would come a second late.
        add = lambda ns, text: made.append(Element(ns, "ip", text))
        nodad = " nodad" if self.version == 6 else ""
        address = lambda ns, word, link: add(ns, f"addr add {w[word]}/{w['length']} dev {link}{nodad}")
        add("", "link add eth0 index 101 netns $P-c type veth peer name lan0 netns $P-r")
        add("", "link add eth0 index 102 netns $P-s type veth peer name wan0 netns $P-r")
        if self.bridged:
            add("", "link add eth0 index 103 netns $P-d type veth peer name lan1 netns $P-r")
        if self.uplinks > 1:
            add("", "link add eth1 index 104 netns $P-s type veth peer name wan1 netns $P-r")
        for ns in self.namespaces:
            add(ns, "link set lo up")
        for ns in ("c", "d") if self.bridged else ("c",):
            add(ns, "link set eth0 up")
            address(ns, ns, "eth0")
            add(ns, f"route add default via {w['lan']}")
        if self.bridged:
            add("r", "link add br0 type bridge forward_delay 0")
            add("r", "link set lan0 master br0")
            add("r", "link set lan1 master br0")
        if self.tun:
            add("r", "tuntap add tun7 mode tun")
        for link in self.links():
            add("r", f"link set {link} up")
        address("r", "lan", "br0" if self.bridged else "lan0")
        address("r", "up", "wan0")
        add("s", "link set eth0 up")
        address("s", "gw", "eth0")
        for word in ("dst", "dst2"):
            add("s", f"addr add {w[word]}/{w['host']} dev lo{nodad}")
        if self.uplinks > 1:
            address("r", "up2", "wan1")
            add("s", "link set eth1 up")
            address("s", "gw2", "eth1")
        if self.tun:
            address("r", "tun", "tun7")
        return made

    def script(self):
        """The shell script that builds it. $P is the prefix of the namespaces' names."""
        settings = ("net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0"
                    " net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0"
                    " net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
        lines = [f"for n in {' '.join(self.namespaces)}; do ip netns add $P-$n",
                 f"  ip netns exec $P-$n sysctl -qw {settings}; done"]
        foundation = self.foundation()
        lines += self.batch("", foundation)
        early = foundation + [e for e in self.elements if e.kind == "ip"]
        for ns in self.namespaces:
            lines += self.batch(ns, early)
        fast = " ".join(f"net.ipv{self.version}.neigh.{link}.retrans_time_ms=50"
                        for link in self.links() if link != "tun7")
        for ns in self.namespaces:
            values = [e.text for e in self.elements if e.ns == ns and e.kind == "sysctl"]
            if ns == "r":
                values.append(fast)
            if values:
                lines.append(f"ip netns exec $P-{ns} sysctl -qw {' '.join(values)}")
            rules = [e.text for e in self.elements if e.ns == ns and e.kind == "nft"]
            if rules:
                lines += [f"ip netns exec $P-{ns} nft -f - <<'END'", *rules, "END"]
            words = [e.text for e in self.elements if e.ns == ns and e.kind == "sh"]
            if words:
                lines += [f"ip netns exec $P-{ns} sh -e <<'END'", *words, "END"]
        return "\n".join(lines) + "\n"

    def batch(self, ns, elements):
        lines = [e.text for e in elements if e.ns == ns and e.kind == "ip"]
        name = f"-{self.version} -n $P-{ns} " if ns else ""
        return [f"ip {name}-batch - <<END", *lines, "END"] if lines else []
