"""Random networks. A case is made of its seed alone."""

import random

from network import CLOSED_TCP, CLOSED_UDP, TCP_PORT, UDP_PORT, V4, V6, Case, Element, Probe

HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
PRIORITIES = (-350, -310, -250, -160, -150, -90, -10, 0, 0, 0, 10, 50, 150, 210)
IPT_CHAINS = {"raw": ("PREROUTING", "OUTPUT"),
              "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
              "filter": ("INPUT", "FORWARD", "OUTPUT"),
              "security": ("INPUT", "FORWARD", "OUTPUT")}


class Maker:
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

    def odds(self, share):
        return self.chance.random() < share

    def pick(self, *choices):
        return self.chance.choice(choices)

    def add(self, kind, text, ns="r"):
        # A route that is there already is refused.
        start = text.split(" via ")[0].split(" ")[-1]
        if kind == "ip" and text.startswith("route add") and " table " not in text and any(
                e.ns == ns and e.kind == "ip" and e.text.startswith("route add") and " table " not in e.text
                and e.text.split(" via ")[0].split(" ")[-1] == start for e in self.elements):
            return
        self.elements.append(Element(ns, kind, text))

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

    def program(self, style):
        return ("iptables" if self.version == 4 else "ip6tables") + ("-legacy" if style == "legacy" else "-nft") + " -w"

    # Rules of any kind. Some meet the probe, some its answer, most neither.

    def nft_chain(self):
        fam = self.pick(self.w["family"], "inet", self.w["family"])
        self.count += 1
        table, hook = f"{fam} t{self.count}", self.pick(*HOOKS)
        if self.way in ("forward", "inbound", "tun", "service", "bridge") and self.odds(0.5):
            hook = "forward"
        kind = "route" if hook == "output" and self.odds(0.2) else "filter"
        policy = "drop" if self.odds(0.3) else "accept"
        self.add("nft", f"add table {table}")
        rules = [self.nft_rule(table, hook) for _ in range(self.chance.randint(1, 4))]
        priority = self.pick(*PRIORITIES) if kind == "filter" else -150
        self.add("nft", f"add chain {table} base {{ type {kind} hook {hook} priority {priority}; policy {policy}; }}")
        if self.version == 6 and policy == "drop" and self.odds(0.85):
            self.add("nft", f"add rule {table} base icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} counter accept")
        if policy == "drop":
            if self.odds(0.75):
                known = self.pick("established,related counter accept", "established counter accept",
                                  "vmap { established : accept, related : accept, invalid : drop }")
                self.add("nft", f"add rule {table} base ct state {known}")
            if self.odds(0.6):
                self.add("nft", f"add rule {table} base {self.nft_hit(hook)} counter accept")
        jump = self.odds(0.4)
        if jump:
            self.add("nft", f"add chain {table} side")
            self.add("nft", f"add rule {table} base {self.nft_match(hook)} counter {self.pick('jump', 'jump', 'goto')} side")
        for rule in rules:
            self.add("nft", f"add rule {table} {'side' if jump and self.odds(0.6) else 'base'} {rule}")

    def nft_hit(self, hook):
        """A match that the probe meets, where it comes by."""
        w, p = self.w, self.probe
        choices = [f"meta l4proto {w['icmp'] if p.protocol == 'icmp' else p.protocol}"]
        if p.source:
            choices.append(f"{w['family']} saddr {p.source}")
        if p.port:
            choices.append(f"{p.protocol} dport {p.port}")
        choices.append("ct state new")
        return self.pick(*choices)

    def nft_match(self, hook):
        w, p, fam = self.w, self.probe, self.w["family"]
        addresses = [w[n] for n in ("c", "d", "dst", "dst2", "gw", "up", "lan", "foreign", "vip", "t")]
        nets = [w[n] for n in ("lannet", "upnet", "dstnet", "tunnet")]
        some = self.chance.sample(addresses, 3)
        if self.odds(0.5) and p.source:
            some[0] = p.source
        choices = [
            f"{fam} saddr {self.pick(*addresses, *nets)}", f"{fam} daddr {self.pick(*addresses, *nets)}",
            f"{fam} daddr {p.destination}", f"{fam} saddr {p.destination}",
            f"{fam} saddr != {{ {', '.join(some)} }}", f"{fam} daddr {{ {', '.join(some)} }}",
            f"meta l4proto {self.pick(w['icmp'], 'tcp', 'udp')}",
            f"tcp dport {self.pick(22, 80, '{ 22, 80, 443 }', '1-1023')}",
            f"udp {self.pick('dport', 'sport')} {self.pick(53, 123)}", f"tcp sport {self.pick(80, 443)}",
            f"ct state {self.pick('new', 'established', 'invalid', 'related', 'established,related', 'untracked')}",
            f"ct direction {self.pick('original', 'reply')}", f"ct status {self.pick('dnat', 'snat')}",
            f"meta mark {self.pick('0x1', '0x10', '!= 0', '0')}",
            f"{fam} {'ttl' if fam == 'ip' else 'hoplimit'} {self.pick('< 2', '> 60', '64', '63')}",
            f"meta length {self.pick('> 1000', '< 100', '40-100')}", "tcp flags & (syn | ack) == syn",
            f"{w['icmp']} type {self.pick('echo-request', 'echo-reply', 'destination-unreachable')}", "",
        ]
        if hook != "output" and hook != "postrouting":
            choices += [f"iifname \"{self.pick(self.inner, 'wan0', 'wan*', 'lo')}\""] * 2
        if hook in ("prerouting", "input") or hook == "forward":
            choices.append(f"fib daddr type {self.pick('local', 'unicast', 'blackhole')}")
        if hook == "prerouting":
            choices.append("fib saddr . iif oif missing")
        if hook not in ("prerouting", "input"):
            choices += [f"oifname \"{self.pick(self.inner, 'wan0', 'wan*', 'lo')}\""] * 2
        match = self.pick(*choices)
        if self.odds(0.25):
            other = self.pick(*choices)
            if match.split(" ")[:2] != other.split(" ")[:2] and not {"tcp", "udp", "icmp", "icmpv6", "meta"} & {match.split(" ")[0], other.split(" ")[0]}:
                match += " " + other
        return match.strip()

    def nft_rule(self, table, hook):
        roll = self.chance.random()
        if roll < 0.12:
            self.count += 1
            name = f"s{self.count}"
            fam = self.w["family"]
            kind = "ipv4_addr" if self.version == 4 else "ipv6_addr"
            side = self.pick("saddr", "daddr")
            some = self.chance.sample([self.w[n] for n in ("c", "d", "dst", "dst2", "gw", "up", "foreign")], 3)
            self.add("nft", f"add set {table} {name} {{ type {kind}; elements = {{ {', '.join(some)} }}; }}")
            return f"{fam} {side} @{name} counter {self.pick('drop', 'accept', 'drop')}"
        if roll < 0.2:
            self.count += 1
            name = f"m{self.count}"
            key = self.pick(80, 53, 443)
            self.add("nft", f"add map {table} {name} {{ type inet_service : verdict; elements = {{ {key} : {self.pick('drop', 'accept')}, 22 : drop }}; }}")
            return f"{self.pick('tcp', 'udp')} {self.pick('dport', 'dport', 'sport')} vmap @{name}"
        match = self.nft_match(hook)
        if roll < 0.3:
            return f"{match} counter meta mark set {self.pick('0x1', '0x10', '0x0')}"
        verdicts = ["drop", "accept", "accept", "drop", "return", ""]
        if hook in ("input", "forward", "output"):
            verdicts += ["reject", "reject"]
            if "tcp" in match.split():
                verdicts.append("reject with tcp reset")
        if hook in ("prerouting", "output") and roll > 0.9:
            verdicts = ["notrack"]
        return f"{match} counter {self.pick(*verdicts)}"

    def iptables(self):
        style = self.pick("iptables-nft", "legacy", "legacy")
        program, w = self.program(style), self.w
        table = self.chance.choices(("filter", "mangle", "raw", "security"), (6, 2, 2, 1))[0]
        chain = self.pick(*IPT_CHAINS[table])
        if table == "filter" and self.odds(0.5):
            chain = "FORWARD"
        start = f"{program} -t {table}"
        if table == "filter" and self.odds(0.25):
            self.add("sh", f"{start} -P {chain} DROP")
            if self.version == 6:
                self.add("sh", f"{start} -A {chain} -p icmpv6 -m icmp6 --icmpv6-type 135 -j ACCEPT")
                self.add("sh", f"{start} -A {chain} -p icmpv6 -m icmp6 --icmpv6-type 136 -j ACCEPT")
            if self.odds(0.8):
                self.add("sh", f"{start} -A {chain} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
            if self.odds(0.6):
                self.add("sh", f"{start} -A {chain} {self.ipt_match(chain, hit=True)} -j ACCEPT")
        place = chain
        if self.odds(0.35):
            self.count += 1
            place = f"user{self.count}"
            self.add("sh", f"{start} -N {place}")
            self.add("sh", f"{start} -A {chain} {self.ipt_match(chain)} -j {place}")
        for _ in range(self.chance.randint(1, 3)):
            verdicts = ["DROP", "ACCEPT", "ACCEPT", "DROP", "RETURN"]
            if table == "filter":
                verdicts += ["REJECT", "REJECT"]
            if table == "mangle":
                verdicts += [f"MARK --set-mark {self.pick('0x1', '0x10')}"] * 4
            if table == "raw":
                verdicts += ["CT --notrack"]
            self.add("sh", f"{start} -A {place} {self.ipt_match(chain, table=table)} -j {self.pick(*verdicts)}")

    def ipt_match(self, chain, hit=False, table="filter"):
        w, p = self.w, self.probe
        icmp = "icmp" if self.version == 4 else "icmpv6"
        if hit:
            choices = [f"-p {icmp if p.protocol == 'icmp' else p.protocol}"]
            if p.source:
                choices.append(f"-s {p.source}")
            if p.port:
                choices.append(f"-p {p.protocol} --dport {p.port}")
            return self.pick(*choices)
        addresses = [w[n] for n in ("c", "d", "dst", "dst2", "gw", "up", "lan", "foreign", "vip", "t",
                                    "lannet", "upnet", "dstnet", "tunnet")]
        choices = [f"-s {self.pick(*addresses)}", f"-d {self.pick(*addresses)}", f"-d {p.destination}",
                   f"! -s {self.pick(*addresses)}", f"-p {self.pick(icmp, 'tcp', 'udp')}",
                   f"-p tcp --dport {self.pick(22, 80)}", f"-p udp --dport {self.pick(53, 123)}",
                   f"-p tcp -m multiport --dports 22,80,443", "-p tcp --syn",
                   f"-m mark --mark {self.pick('0x1', '0x10')}", f"-p udp --sport {self.pick(53, 123)}",
                   f"-m length --length {self.pick('0:100', '1000:65535')}", f"-p tcp --sport 80"]
        if table != "raw":
            choices += [f"-m conntrack --ctstate {self.pick('NEW', 'INVALID', 'ESTABLISHED', 'RELATED')}"] * 2
        if chain in ("PREROUTING", "INPUT", "FORWARD"):
            choices += [f"-i {self.pick(self.inner, 'wan0', 'wan+')}"] * 2
        if chain in ("POSTROUTING", "OUTPUT", "FORWARD"):
            choices += [f"-o {self.pick(self.inner, 'wan0', 'wan+')}"] * 2
        return self.pick(*choices)

    def netdev(self):
        self.count += 1
        table = f"netdev n{self.count}"
        hook, device = self.pick("ingress", "ingress", "egress"), self.pick("lan0", "wan0", "wan0")
        self.add("nft", f"add table {table}")
        self.add("nft", f"add chain {table} base {{ type filter hook {hook} device \"{device}\" priority {self.pick(-10, 0, 10)}; policy accept; }}")
        p, fam = self.probe, self.w["family"]
        match = self.pick(f"{fam} saddr {self.w['c']}", f"{fam} daddr {self.w['dst']}", f"{fam} saddr {self.w['dst']}",
                          f"meta l4proto {self.pick('tcp', 'udp', self.w['icmp'])}", "tcp dport 80", "udp dport 53",
                          "tcp dport 22", f"{fam} daddr {self.w['foreign']}")
        self.add("nft", f"add rule {table} base {match} counter {self.pick('drop', 'accept', 'drop')}")

    def bridge_table(self):
        self.count += 1
        table = f"bridge b{self.count}"
        hook = self.pick("forward", "forward", "prerouting", "input", "output", "postrouting")
        policy = "drop" if hook == "forward" and self.odds(0.2) else "accept"
        self.add("nft", f"add table {table}")
        self.add("nft", f"add chain {table} base {{ type filter hook {hook} priority {self.pick(-200, 0, 0, 100)}; policy {policy}; }}")
        fam = self.w["family"]
        for _ in range(self.chance.randint(1, 2)):
            match = self.pick(f"{fam} saddr {self.w['c']}", f"{fam} daddr {self.w['d']}", f"{fam} daddr {self.w['c']}",
                              f"meta l4proto {self.pick('tcp', 'udp')}", "tcp dport 80", "udp dport 53",
                              "iifname \"lan0\"" if hook != "output" else "oifname \"lan0\"", "ether type arp",
                              f"meta protocol {fam}")
            self.add("nft", f"add rule {table} base {match} counter {self.pick('drop', 'accept', 'accept', 'drop')}")

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
