"""Asks the same of a network twice, by a client and by nftrace, and compares what each came to."""

import json, os, subprocess, time
from dataclasses import dataclass, field

import prober, witnesses
from network import TCP_PORT, UDP_PORT
from prober import inside

ASPECTS = ("outcome", "hooks", "interfaces", "translations", "rule", "findings", "remedy", "state", "copy")
PATIENCE = 0.4
# Findings whose cause is a rule or a policy of the router.
OF_RULES = {"rule-drop", "policy-drop", "rule-reject", "legacy-drop", "invalid-state-drop", "reply-filtered",
            "dnat-then-filtered", "masquerade-no-address", "icmp-error-filtered",
            "neighbour-discovery-filtered"}
# A rule drops where the cause is another: the remedy is tried all the same.
BEHIND_RULES = {"reverse-path-filter", "reply-misrouted", "no-route", "not-translated", "ttl-expired",
                "fragmentation-needed", "neighbour-unresolved", "queue-without-listener"}
VAGUE = {"lost-after", "no-reply"}
HOOKS = {"prerouting", "input", "forward", "output", "postrouting"}


class Unbuilt(Exception):
    """The network could not be made: the elements do not go together."""


class Elsewhere(Exception):
    """The client's packet did not come to the router: there is nothing that nftrace could be asked."""


@dataclass
class Truth:
    """What the client got, and what the witnesses saw meanwhile."""

    outcome: str
    source: str | None
    mark: bytes
    traces: list
    sights: list
    legacy: list  # rules of iptables-legacy that dropped or rejected: table, chain, rule

    def drops(self):
        """Where nf_tables dropped something of the exchange: family, table, chain, handle or "policy"."""
        return [drop for trace in self.traces if not self.is_background(trace) for drop in trace.drops()]

    def questions_dropped(self):
        """The same of what asks for neighbours."""
        return [drop for trace in self.traces if self.is_background(trace) for drop in trace.drops()]

    @staticmethod
    def is_background(trace):
        return not trace.header or trace.header.is_background

    def requests(self, probe):
        """The traces of the client's packet: translated it has its mark still, under another number."""
        known = [t for t in self.traces if not self.is_background(t)]
        first = next((t.header for t in known if t.header.destination == probe.destination
                      and self.source in (None, t.header.source) and not t.header.is_error), None)
        return [t for t in known if first and t.header.mark == first.mark and t.header.kind == first.kind]


@dataclass
class Verdict:
    """What differs, by aspect; and what was said, for who reads it."""

    differences: dict = field(default_factory=dict)
    compared: set = field(default_factory=set)
    truth: str = ""
    told: str = ""
    vague: bool = False
    remedy: str | None = None

    def check(self, aspect, holds, text):
        self.compared.add(aspect)
        if not holds:
            self.differences.setdefault(aspect, []).append(text)


class Network:
    """A case that is built, until it is left."""

    def __init__(self, case, prefix):
        self.case, self.prefix = case, prefix

    def name(self, ns):
        return f"{self.prefix}-{'r' if ns == 't' else ns}"

    def __enter__(self):
        done = subprocess.run(["sh", "-e"], input=self.case.script(), capture_output=True, text=True,
                              env={**os.environ, "P": self.prefix})
        if done.returncode:
            self.remove()
            raise Unbuilt(done.stderr.strip() or done.stdout.strip())
        self.servers = prober.Servers(self.prefix, self.case.listens(), TCP_PORT, UDP_PORT)
        return self

    def __exit__(self, *_):
        self.servers.close()
        self.remove()

    def remove(self):
        for ns in self.case.namespaces:
            subprocess.run(["ip", "netns", "del", self.name(ns)], capture_output=True)

    def ask(self):
        return inside(self.name(self.case.probe.asker), lambda: prober.ask(self.case.probe, PATIENCE))

    def has_legacy(self):
        return any("-legacy" in e.text for e in self.case.elements if e.ns == "r")

    def witness(self):
        """The client's own packet, under the eyes of all witnesses."""
        router, legacy = self.name("r"), self.has_legacy()
        witnesses.switch_traces(router, self.case.links(), self.case.bridged, True)
        before = witnesses.legacy_counters(router, self.case.version) if legacy else {}
        watch = witnesses.Watch(router)
        outcome, source, mark = self.ask()
        time.sleep(0.01)
        watch.end()
        after = witnesses.legacy_counters(router, self.case.version) if legacy else {}
        witnesses.switch_traces(router, self.case.links(), self.case.bridged, False)
        return Truth(outcome, source, mark, watch.traces(), watch.sights,
                     [rule for rule, count in after.items() if count > before.get(rule, 0)])

    def told(self, nftrace, folder, *more):
        words = ["ping", "--netns", self.name("r"), "-W", str(PATIENCE), *self.case.probe.arguments(), "--json",
                 "--no-rehearsal", *more]
        done = subprocess.run([*nftrace, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env={**os.environ, "NFTRACE_STATE_DIR": folder}, timeout=30)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout), done.returncode


def errors(report):
    return [f for f in report["findings"] if f["severity"] in ("error", "warning")]


def fate(probe):
    """What the namespace itself made of a probe and of its answer: where each ended, by which rule, as what."""
    fates = {}
    for journey in probe["journeys"]:
        if journey["direction"] not in ("request", "reply") or journey["direction"] in fates:
            continue
        end, last = journey["end"], journey["hops"][-1]
        # Whether a neighbour is there, who is beyond says; in a copy everybody is.
        if end["kind"] == "unknown" and last["hook"] in ("postrouting", "egress"):
            continue
        decider = [r for h in journey["hops"] for r in h["rules"]][-1:] if end["kind"] in ("dropped", "rejected") else []
        fates[journey["direction"]] = {
            "end": [end["kind"], end["hook"], end["table"]],
            "rule": [[r["family"], r["table"], r["chain"], r["handle"]] for r in decider],
            "addresses": [last["source"], last["destination"],
                          last["destination_port"] if journey["direction"] == "request" else None], "out": last["out"]}
    return fates


def compare_copy(verdict, report, copied):
    """A copy of the namespace makes of the same probe what the namespace does."""
    here, there = fate(report["probes"][0]), fate(copied["probes"][0])
    for way in ("request", "reply"):
        if way not in here or way not in there:
            continue
        for what, value in here[way].items():
            verdict.check("copy", there[way][what] == value,
                          f"{way}'s {what} is {there[way][what]} in the copy, and {value} in the original")


def judge(case, prefix, nftrace, folder, copies=False):
    verdict = Verdict()
    with Network(case, prefix) as network:
        truth = network.witness()
        if case.probe.asker in ("c", "s") and not any(
                s.header.source == truth.source and not s.header.is_error for s in truth.sights):
            raise Elsewhere
        router, legacy = network.name("r"), network.has_legacy()
        before, known = witnesses.state(router, case.version, legacy), witnesses.connections(router)
        names = set(os.listdir("/run/netns"))
        watch = witnesses.Watch(router)
        try:
            report, code = network.told(nftrace, folder)
        except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
            watch.end()
            verdict.check("outcome", False, f"nftrace: {error}")
            return verdict
        watch.end()
        copied = network.told(nftrace, folder, "--with", "true")[0] if copies else None
        after = witnesses.state(router, case.version, legacy)
        verdict.check("state", set(os.listdir("/run/netns")) == names, "namespaces differ")
        for section, text in before.items():
            verdict.check("state", after[section] == text, f"{section} differ: {changed(text, after[section])}")
        gone = known - witnesses.connections(router)
        verdict.check("state", not gone, f"connections are gone: {gone}")
    probe = report["probes"][0]
    outcome, found = probe["outcome"], errors(report)
    if takes_the_other_uplink(truth) and any(f["id"] == "reply-misrouted" for f in found):
        # Whether a machine far away takes that is its own matter, and it is said.
        found = [f for f in found if f["id"] != "reply-misrouted"]
        outcome, report["findings"], code = truth.outcome, found, truth.outcome != "replied"
    verdict.truth = describe(truth, case)
    verdict.told = f"{outcome}: " + "; ".join(f"{f['id']} ({f['summary']})" for f in found)
    # A program that sends is told of a drop at OUTPUT by its own send; TCP sends it again.
    refused = {outcome, truth.outcome} == {"lost", "local-error"} and (truth.drops() or truth.legacy)
    verdict.check("outcome", (outcome == truth.outcome or refused) and code == (outcome != "replied"),
                  f"{outcome} (exit {code}), and the client's was {truth.outcome}")
    compare_ways(verdict, case, truth, watch, probe)
    compare_findings(verdict, case, truth, report, outcome)
    if copied:
        compare_copy(verdict, report, copied)
    errors_told = [f for f in found if f["severity"] == "error"]
    if errors_told and errors_told[0]["remedy"] and truth.outcome != "replied":
        try_remedy(verdict, case, prefix, nftrace, folder, errors_told[0])
    return verdict


def takes_the_other_uplink(truth):
    """Whether the client, which came in by one uplink, got its answer by the other."""
    links = [s.link for s in truth.sights if s.link.startswith("wan") and not s.header.is_error]
    return truth.outcome in ("replied", "rejected") and truth.sights[0].link.startswith("wan") and len(set(links)) > 1


def changed(before, after):
    """The lines, or the settings, that were not as they are now, and are."""
    if isinstance(before, str):
        before, after = dict.fromkeys(before.splitlines()), dict.fromkeys(after.splitlines())
    return ([f"- {k} {v or ''}".strip() for k, v in before.items() if after.get(k, 0) != v]
            + [f"+ {k} {v or ''}".strip() for k, v in after.items() if before.get(k, 0) != v])


def describe(truth, case):
    drops = [" ".join(map(str, d)) for d in truth.drops()] + [
        " ".join(("(of neighbours)", *map(str, d))) for d in truth.questions_dropped()] + [" ".join(("legacy", *d)) for d in truth.legacy]
    left = [f"{s.link}{' out' if s.outgoing else ' in'} {s.header.source}>{s.header.destination}"
            f"{' error' if s.header.is_error else ''}" for s in truth.sights]
    return f"{truth.outcome}; dropped by: {', '.join(drops) or 'no rule'}; seen: {', '.join(left) or 'nothing'}"


def request_sights(sights, probe, packet):
    """Where the packet that nftrace sent was seen, by what no translation changes."""
    number = packet["icmp_id"] if probe.protocol == "icmp" else packet["source_port"]
    mine = [s for s in sights if not s.header.is_error]
    first = next((s for s in mine if s.header.ports[0] == number
                  and s.header.protocol == {"icmp": 58 if ":" in probe.destination else 1, "tcp": 6,
                                            "udp": 17}[probe.protocol]), None)
    if not first:
        return []
    return [s for s in mine if s.header.mark == first.header.mark and s.header.kind == first.header.kind]


def compare_ways(verdict, case, truth, watch, told):
    requests = [j for j in told["journeys"] if j["direction"] == "request"]
    met, bridged = (set().union(*(t.hooks(family) for t in truth.requests(case.probe)))
                    for family in ("inet", "bridge"))
    if requests:
        seen = {h["hook"] for j in requests for h in j["hops"]} & HOOKS
        # Hooks of bridges are looked at where they have chains.
        verdict.check("hooks", met <= seen <= met | bridged,
                      f"request at {sorted(seen)}, witnesses: {sorted(met)}, of bridges {sorted(bridged)}")
    elif truth.outcome != "local-error":
        verdict.check("hooks", not met, f"no request told, witnesses: {sorted(met)}")
    if not requests:
        return
    sights = request_sights(watch.sights, case.probe, requests[0]["packet"])
    out = [s for s in sights if s.outgoing and s.link != "lo"]
    entered = "tun7" if case.probe.asker == "t" else None
    out = [s for s in out if s.link != entered or case.probe.asker != "t" or len(out) > 1]
    sent = {j["end"]["out"] for j in requests if j["end"]["kind"] == "transmitted"} - {"lo", None}
    links = {s.link for s in out}
    # What a bridge was given and no port has is told by a finding.
    verdict.check("interfaces", sent <= links and (bool(sent) == bool(links - {"br0"}) or sent == {"br0"}),
                  f"sent by {sorted(sent)}, taps: {sorted(links)}")
    for journey in requests:
        if journey["end"]["kind"] != "transmitted" or journey["end"]["out"] not in links:
            continue
        hop = journey["hops"][-1]
        there = {(s.header.source, s.header.destination, *(s.header.ports if s.header.kind is None else ()))
                 for s in out if s.link == journey["end"]["out"]}
        said = (hop["source"], hop["destination"])
        if case.probe.protocol != "icmp":
            said += (hop["source_port"], hop["destination_port"])
        verdict.check("translations", said in there, f"left as {said}, taps: {sorted(there)}")


def compare_findings(verdict, case, truth, report, outcome):
    found = errors(report)
    if truth.outcome == "replied":
        verdict.check("findings", not found, f"the client is answered, and told is {[f['id'] for f in found]}")
        return
    told = [f for f in found if f["severity"] == "error"]
    verdict.check("findings", bool(told) or outcome == "replied", "no error is told")
    if not told:
        return
    first = told[0]
    drops = truth.drops()
    if first["id"] == "neighbour-discovery-filtered":
        # nf_tables does not trace ARP.
        drops = truth.questions_dropped() or [("arp", first["at"]["table"], first["at"]["chain"], first["at"]["handle"])]
    if first["id"] in VAGUE:
        knowable = bool(drops or truth.legacy) or not left(truth, case)
        verdict.vague = knowable
        verdict.check("findings", not knowable, f"{first['id']}, and more was to be known")
    if drops or truth.legacy:
        verdict.check("findings", first["id"] in OF_RULES | BEHIND_RULES | VAGUE,
                      f"{first['id']}, and a rule decided")
    else:
        verdict.check("findings", first["id"] not in OF_RULES, f"{first['id']}, and no rule decided")
    if first["id"] in OF_RULES and first["at"]:
        at = first["at"]
        known = any((table, chain) == (at["table"], at["chain"]) and rule in ("policy", at["rule"])
                    for table, chain, rule in truth.legacy) if not at["handle"] else False
        known = known or any((table, chain) == (at["table"], at["chain"]) and at["handle"] == (
            None if handle == "policy" else handle) for _, table, chain, handle in drops)
        verdict.check("rule", known, f"told is {at}, witnesses: {drops + truth.legacy}")


def left(truth, case):
    """Whether the client's packet left the router, or came to a program of it."""
    if any("input" in t.hooks("inet") for t in truth.requests(case.probe)):
        return True
    return any(s.outgoing and s.link != "tun7" and not s.header.is_error for s in truth.sights)


def try_remedy(verdict, case, prefix, nftrace, folder, finding):
    """The remedy in a fresh copy of the network: the client is answered, or another cause comes to light."""
    verdict.remedy = finding["remedy"]
    with Network(case, prefix) as network:
        done = subprocess.run(["ip", "netns", "exec", network.name("r"), "sh", "-c", finding["remedy"]],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        verdict.check("remedy", done.returncode == 0,
                      f"`{finding['remedy']}` of {finding['id']} fails: {done.stderr.strip()}")
        if done.returncode:
            return
        outcome = network.ask()[0]
        if outcome == "replied":
            return
        report, _ = network.told(nftrace, folder)
        told = [f for f in errors(report) if f["severity"] == "error"]
        same = told and (told[0]["id"], told[0]["at"], told[0]["summary"]) == (
            finding["id"], finding["at"], finding["summary"])
        verdict.check("remedy", bool(told) and not same,
                      f"after `{finding['remedy']}` the client's is {outcome}, and told is "
                      f"{[f['id'] + ': ' + f['summary'] for f in told]}")
