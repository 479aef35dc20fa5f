"""Random networks. A case is made of its seed alone."""

import random

from network import CLOSED_TCP, CLOSED_UDP, TCP_PORT, UDP_PORT, V4, V6, Case, Probe
from rules import Rules

class Maker(Rules):
    """Makes one case. Every choice is `self.chance`'s."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.seed = seed
        self.version = self.chance.choice((4, 4, 6))
        self.w = V4 if self.version == 4 else V6
        self.bridged = self.odds(0.25)
        self.uplinks = 2 if self.odds(0.3) else 1
        self.elements = []
        self.count = 0

    def case(self):
        way = self.chance.choices(
            ("forward", "input", "bridge", "inbound", "local", "itself", "tun", "service"),
            (30, 12, 12 if self.bridged else 0, 10, 14, 3, 12, 7))[0]
        self.way, self.tun = way, way == "tun"
        self.inner = "br0" if self.bridged else "lan0"
        self.protocol = self.pick("icmp", "udp", "tcp")
        self.port = {"icmp": None, "udp": UDP_PORT, "tcp": TCP_PORT}[self.protocol]
        self.forwarding()
        self.settle_routes()
        self.probe = self.make_probe()
        self.translate()
        for _ in range(self.chance.choices((0, 1, 2, 3), (2, 4, 3, 1))[0]):
            self.chance.choices(
                (self.nft_chain, self.iptables, self.netdev, self.bridge_table),
                (5, 4, 1, 2 if self.bridged else 0))[0]()
        for _ in range(self.chance.choices((0, 1, 2), (4, 5, 1))[0]):
            self.fault()
        return Case(self.seed, self.version, self.bridged, self.uplinks, self.tun, self.elements,
                    self.probe)

    # What works, as long as nothing breaks it.

    def forwarding(self):
        if not self.odds(0.04):
            self.add("sysctl", "net.ipv4.ip_forward=1" if self.version == 4
                     else "net.ipv6.conf.all.forwarding=1")
        if self.bridged:
            on = self.pick(0, 1)
            self.add("sysctl", f"net.bridge.bridge-nf-call-{'ip' if self.version == 4 else 'ip6'}tables={on}")

    def settle_routes(self):
        w = self.w
        if not self.odds(0.03):
            self.add("ip", f"route add default via {w['gw']}")
        self.returns = self.pick("main", "main", "none", "none", "other" if self.uplinks > 1 else "main")
        back = {"main": w["up"], "other": w.get("up2")}.get(self.returns)
        if back:
            self.add("ip", f"route add {w['lannet']} via {back}", "s")
            if self.tun:
                self.add("ip", f"route add {w['tunnet']} via {back}", "s")
        if self.uplinks > 1:
            table = self.pick(100, 200)
            what = self.pick(f"fwmark {self.pick('0x1', '0x10/0xf0')}", f"from {w['c']}",
                             f"to {w['dst2']}", "tos 0x10", "ipproto tcp", "ipproto udp dport 53",
                             f"iif {self.inner}", f"from {w['up2']}", f"from {w['up2']}")
            self.add("ip", f"route add default via {self.pick(w['gw2'], w['gw2'], w['gw'])} table {table}")
            self.add("ip", f"rule add {what} lookup {table} pref {self.pick(100, 1000, 20000)}")

    def make_probe(self):
        w, way = self.w, self.way
        asker, source, entrance = "c", w["c"], []
        aim = self.chance.choices((w["dst"], w["dst2"], w["gw"], w["nobody"], w["deadup"]),
                                  (12, 4, 3, 1, 1))[0]
        if way == "input":
            aim = self.pick(w["lan"], w["lan"], w["up"])
        elif way == "bridge":
            aim = self.pick(w["d"], w["d"], w["d"], w["d"], w["deadlan"])
        elif way == "inbound":
            asker, aim = "s", self.pick(w["up"], w["up"], w["c"] if self.returns == "main" else w["up"])
            source = w["gw"]
            if self.odds(0.4):
                source = w["dst"]
        elif way == "service":
            aim = w["vip"]
        elif way in ("local", "itself"):
            asker, source, entrance = "r", None, ["--local"]
            if way == "itself":
                aim = self.pick(w["lan"], w["up"], w["loopback"])
            elif self.odds(0.25):
                aim = self.pick(w["c"], w["c"], w["deadlan"])
        elif way == "tun":
            asker, source, entrance = "t", w["t"], ["--tun", "tun7"]
            if self.odds(0.3):
                aim = self.pick(w["c"], w["tun"], w["lan"], w["up"])
        # To whom a blackhole leads, nobody knows where he is.
        if asker == "s" and source == w["dst"] or asker in ("c", "s") and self.odds(0.4):
            entrance = ["--in", "lan0" if asker == "c" else "wan0"]
        port = self.port
        if port and self.odds(0.07):
            port = CLOSED_TCP if self.protocol == "tcp" else CLOSED_UDP
        probe = Probe(asker, source, aim, self.protocol, port, entrance=entrance)
        if self.odds(0.04):
            probe.ttl = self.pick(1, 1, 2)
        if self.protocol != "tcp" and self.odds(0.12):
            probe.size = self.pick(600, 1300, 1452)
            probe.df = self.version == 4 and self.odds(0.5)
        if self.odds(0.06):
            probe.tos = 0x10
        return probe

    def translate(self):
        """Masquerading where the server knows no way back, and port forwards where they are asked for."""
        w, fam = self.w, self.w["family"]
        out = self.pick("wan0", "wan*") if self.uplinks > 1 else "wan0"
        source = self.pick(w["lannet"], w["lannet"], w["everything"]) if not self.tun else w["tunnet"]
        style = self.chance.choices(("nft", "inet", "iptables-nft", "legacy", "none"), (3, 2, 3, 3, 1))[0]
        backward = self.returns == "none" or self.odds(0.3)
        forward = self.way in ("service", "inbound")
        aim = {"service": self.pick(w["dst"], w["dst"], w["gw"], w["c"], w["deadup"]),
               "inbound": w["c"]}.get(self.way)
        old = w["vip"] if self.way == "service" else self.probe.destination
        forward = forward and not (self.way == "inbound" and old == w["c"])
        shift = self.port if self.odds(0.7) else CLOSED_TCP
        if self.way == "inbound" and self.odds(0.2):
            aim = w["nobody"] if self.odds(0.3) else w["deadlan"]
        if style in ("nft", "inet") and (backward or forward):
            table = f"{'inet' if style == 'inet' else fam} translate"
            self.add("nft", f"add table {table}")
            if backward:
                self.add("nft", f"add chain {table} post {{ type nat hook postrouting priority 100; }}")
                name = f"oifname \"{out}\"" if "*" in out or self.odds(0.5) else f"oif {out}"
                what = self.pick("masquerade", "masquerade", f"snat {'to' if style == 'nft' else fam + ' to'} {w['up']}")
                match = f"{fam} saddr {source} " if source != w["everything"] else ""
                self.add("nft", f"add rule {table} post {match}{name} counter {what}")
            if forward:
                self.add("nft", f"add chain {table} pre {{ type nat hook prerouting priority -100; }}")
                to = f"{'' if style == 'nft' else fam + ' '}to "
                if self.port and self.odds(0.8):
                    place = f"[{aim}]" if self.version == 6 else aim
                    self.add("nft", f"add rule {table} pre {fam} daddr {old} {self.protocol} dport"
                             f" {self.probe.port} counter dnat {to}{place}:{shift}")
                else:
                    self.add("nft", f"add rule {table} pre {fam} daddr {old} counter dnat {to}{aim}")
        elif style != "none" and (backward or forward):
            program = self.program(style)
            if backward:
                out = out.replace("*", "+")
                what = self.pick("MASQUERADE", "MASQUERADE", f"SNAT --to-source {w['up']}")
                match = f"-s {source} " if source != w["everything"] else ""
                self.add("sh", f"{program} -t nat -A POSTROUTING {match}-o {out} -j {what}")
            if forward:
                match, place = "", aim
                if self.port and self.odds(0.8):
                    match = f"-p {self.protocol} --dport {self.probe.port} "
                    place = f"[{aim}]:{shift}" if self.version == 6 else f"{aim}:{shift}"
                self.add("sh", f"{program} -t nat -A PREROUTING -d {old} {match}-j DNAT --to-destination {place}")

    # Faults that are no rules of the firewall.

    def fault(self):
        w, v = self.w, self.version
        conf = f"net.ipv{v}.conf"
        rp = self.pick(1, 1, 2)
        aim = self.probe.destination if self.odds(0.7) else w["dst"]
        # What is broken at the client itself is not to be seen from the router.
        far = "c" if self.probe.asker == "s" else "s"
        choices = [
            lambda: self.add("ip", f"route add {self.pick('blackhole', 'unreachable', 'prohibit', 'throw')} {aim}"),
            lambda: self.add("ip", f"rule add {self.pick(f'to {aim}', f'iif {self.inner}', 'fwmark 0x1', 'ipproto udp', 'tos 0x10')}"
                             f" {self.pick('blackhole', 'unreachable', 'prohibit')} pref {self.pick(50, 500)}"),
            lambda: self.add("ip", f"route add {aim} via {self.pick(w['deadup'], w['deadup'], w['gw'])}"),
            lambda: self.add("ip", f"route add {w['dstnet']} via {w['gw2'] if self.uplinks > 1 else w['deadlan']}"),
            lambda: self.add("sysctl", f"{conf}.{self.inner}.forwarding=0"),
            lambda: self.add("ip", "link set wan0 down"),
            lambda: self.add("ip", "link set eth0 down", far),
            lambda: self.add("ip", f"link set wan0 mtu {1300 if v == 6 else self.pick(576, 1000)}"),
            lambda: self.add("nft", f"table inet silent {{ chain in {{ type filter hook input priority 0; "
                             + ("" if v == 4 else "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; ")
                             + f"meta l4proto {{ tcp, udp, {w['icmp']} }} drop; }}; }}", far),
            lambda: self.add("nft", f"table inet refusing {{ chain in {{ type filter hook input priority 0; {w['family']} daddr {w['dst']} reject; }}; }}", far),
            lambda: self.add("ip", f"route add {self.pick('blackhole', 'prohibit')} {self.pick(w['c'], w['up'], w['lannet']) if far == 's' else w['foreign']}", far),
            lambda: self.add("ip", f"route add blackhole {w['foreign']}"),
            lambda: self.add("sysctl", "net.ipv4.icmp_echo_ignore_all=1" if v == 4 else "net.ipv6.icmp.echo_ignore_all=1", self.pick("r", far)),
        ]
        end = self.pick("src", "dst")
        choices += [
            # What is behind the hooks.
            lambda: self.add("ip", f"xfrm policy add dir {self.pick('out', 'fwd', 'in')} {end} {aim}/{w['host']} action block"),
            lambda: self.add("sh", f"{self.program(self.pick('iptables-nft', 'legacy'))} -t mangle -A"
                             f" {self.pick('FORWARD', 'PREROUTING', 'POSTROUTING', 'OUTPUT', 'INPUT')} -d {self.pick(aim, w['c'])} -j NFQUEUE --queue-num 7"
                             f"{self.pick('', '', ' --queue-bypass')}"),
            lambda: self.add("sh", f"ip -{v} neigh replace {w['gw'] if far == 's' else w['c']}"
                             f" lladdr 02:00:00:00:00:99 dev {'wan0' if far == 's' else self.inner}"),
        ]
        if v == 6:
            choices.append(lambda: self.add("sysctl", f"net.ipv6.conf.{self.pick(self.inner, 'wan0')}.disable_ipv6=1"))
        if v == 4:
            choices += [lambda: self.add("sysctl", f"{conf}.{self.pick('wan0', self.inner)}.rp_filter={rp}")] * 2
        if self.uplinks > 1:
            choices.append(lambda: self.add("ip", f"route replace default via {w['gw2']}"))
            choices.append(lambda: self.add("ip", f"route add {w['up']} via {w['up2']}", "s"))
        if self.bridged:
            choices += [lambda: self.add("ip", f"link set {self.pick('lan0', 'lan1')} type bridge_slave {self.pick('isolated on', 'learning off', 'flood off', 'hairpin on')}")]
            choices += [lambda: self.add("ip", "link set lan1 mtu 600")] if v == 4 else []
        else:
            choices.append(lambda: self.add("nft", f"table {'arp' if v == 4 else 'ip6'} quiet {{ chain out {{ type filter hook output priority 0; "
                                            + ("arp operation request drop" if v == 4 else "icmpv6 type nd-neighbor-solicit drop") + "; }; }"))
        self.pick(*choices)()
