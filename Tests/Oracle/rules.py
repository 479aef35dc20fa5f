"""Random rules of every kind."""

from network import Element

HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
PRIORITIES = (-350, -310, -250, -160, -150, -90, -10, 0, 0, 0, 10, 50, 150, 210)
IPT_CHAINS = {"raw": ("PREROUTING", "OUTPUT"),
              "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
              "filter": ("INPUT", "FORWARD", "OUTPUT"),
              "security": ("INPUT", "FORWARD", "OUTPUT")}


class Rules:
    """What makes rules. Every choice is `self.chance`'s: the words are `self.w`, the probe `self.probe`."""

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
