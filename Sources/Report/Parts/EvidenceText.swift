internal import Trace
internal import Wire

/// Evidence in words, a line each, for people and in JSON.
enum EvidenceText {
  static func text(_ evidence: Evidence) -> String {
    switch evidence {
    // Rules and chains.
    case .rule(let text): text
    case .element(let element):
      "set \(Escape.name(element.set)) has \(Escape.text(element.text))"
    case .metBefore(let step):
      "before, it met \(RuleNames.rule(step))" + (step.text.map { ": \($0)" } ?? "")
    case .ledTo(let chain, let step):
      "\(RuleNames.chain(chain)) was reached by \(RuleNames.rule(step))"
        + (step.text.map { ": \($0)" } ?? "")
    case .markSet(let mark, let step):
      "the mark 0x\(String(mark, radix: 16)) was set by \(RuleNames.rule(step))"
        + (step.text.map { ": \($0)" } ?? "")
    case .bridgedThrough(let program):
      "net.bridge.bridge-nf-call-\(program), or nf_call_\(program) of the bridge, is 1: that is why rules "
        + "for IP see what is bridged"
    case .chain(let name, let hook, let priority):
      "chain \(Escape.name(name)) is at hook \(hook.rawValue), priority \(priority)"
    case .manager(let program): "\(program) manages rules here"
    case .namedByLegacyTrace: "iptables-legacy's TRACE names it last"
    case .lostInLegacyTable:
      "seen before that table and not behind it; no nf_tables rule dropped it"
    case .missingLegacyTrace(let why): why
    case .legacyTables(let names): "iptables-legacy tables: \(names.joined(separator: " "))"
    case .droppedByNoRule(let hook): "no nf_tables rule of \(hook.rawValue.uppercased()) dropped it"

    // What the kernel said of a packet.
    case .dropReason(let reason, let place):
      "the kernel's drop reason is \(reason)" + (place.map { ", at \($0)" } ?? "")
    case .droppedElsewhere(let namespace, let reason, let place):
      "network namespace \(Escape.name(namespace)) dropped it"
        + (reason.map { ", with the kernel's reason \($0)" } ?? "")
        + (place.map { ", at \($0)" } ?? "")
    case .missingDropReasons(let why): "the kernel's drop reasons are \(why)"
    case .refusal(let packet, let isOurs):
      (RuleNames.error(packet) ?? "a TCP reset")
        + (isOurs ? " was sent by this host" : " came back from \(packet.source)")
    case .sendingRefused(let errno): "sending was refused: \(ErrorName.words(errno))"

    // Where it was seen.
    case .seenLast(let place): "seen last at \(place)"
    case .seenNowhere: "no hook saw it"
    case .seenAtInterfacesOnly: "no hook between ingress and egress saw it"
    case .routed: "routing has a way for it"
    case .nextHopKnown: "no nf_tables rule dropped it, and its next hop is known"
    case .firstFragment: "it is the first fragment of a packet"
    case .sent(let device, let source): "sent through \(device) with the source \(source)"
    case .notReplied: "delivered at INPUT, and no reply was made"
    case .answerFrom(let packet):
      "the answer goes from \(Phrases.endpoint(packet, .source)) to "
        + Phrases.endpoint(packet, .destination)
    case .answerDelivered: "the answer was delivered to this host"
    case .answerDeliveredTo(let source):
      "the request left with the source \(source), the answer to it was delivered here"
    case .forwardedPastHooks(let packet, let version, let ttl, let now):
      "packet \(packet) came in with \(version == 4 ? "ttl" : "hop limit") \(ttl) and left with \(now), "
        + "without being at PREROUTING, FORWARD or POSTROUTING"
    case .bridgePorts(let point, let input, let output):
      "at \(Escape.name(point.label)) the kernel names the ports \(input) and \(output)"

    // Settings and counters.
    case .setting(let name, let value): "\(name) = \(value)"
    case .settingForbidsToo(let name, let value):
      "\(name) = \(value): with a route, it would not be forwarded either"
    case .counter(let counter, let count):
      (counter.conntrackName.map { "conntrack's counter \($0)" } ?? counter.name)
        + " went up by \(count)"
    case .conntrackDropped: "conntrack's drop counter went up"
    case .queueDropped(let device, let count):
      "the queueing disciplines of \(device) count \(count) more dropped"
    case .connectionCount(let count, let most):
      "nf_conntrack_count \(count) of nf_conntrack_max \(most)"

    // Routing.
    case .policyRule(let rule): "ip rule: \(RoutingWords.text(rule))"
    case .route(let route): "ip route: \(RoutingWords.text(route))"
    case .thrown(let table): "table \(RoutingWords.name(ofTable: table)) throws it"
    case .noRouteFound(let address): "a route lookup of \(address) finds nothing"
    case .foundLocal(let address): "a route lookup of \(address) says local"
    case .lookupRefused(let errno): "the route lookup is refused with errno \(errno)"
    case .routesUnused(let device): "\(device) is down, and routes through it are not used"
    case .mtu(let device, let mtu): "the MTU of \(device ?? "the route") is \(mtu)"

    // Interfaces, addresses, neighbours.
    case .interfaceState(let device, let state): "the state of \(device) is \(state)"
    case .address(let address, let device): "\(device) is \(address)"
    case .noInterfaceHas(let address): "no interface has \(address)"
    case .sameSubnet(let source, let target, let subnet):
      "source \(source) and target \(target) are both in \(subnet)"
    case .neighbour(let address, let device, let state):
      "ip neigh: \(address) dev \(device) \(state)"
    case .owner(let address, let owner):
      "\(address) is an address of \(owner.words), which is \(owner.isUp ? "up" : "down")"
    case .nextHop(let address, let state):
      "next hop \(address) is \(state)"
        + (state.contains(.permanent) ? ": its MAC address was set, and is not checked" : "")
    case .hairpinOff(let port): "bridge link: hairpin of \(port) is off"
    case .isolated(let port): "bridge link: \(port) is isolated"
    case .locked(let port): "bridge link: \(port) is locked"
    case .floodOff(let port, let setting): "bridge link: \(port) has \(setting) off"
    case .portState(let port, let state): "bridge link: \(port) is \(state)"
    case .staticEntry(let address, let port): "bridge fdb: \(address) dev \(port) master static"
    case .noEntry(let address, let device): "bridge fdb: nothing of \(address) at \(device)"
    case .xdpProgram(let device): "an XDP program on \(device) sees packets before any hook"

    case .deviceProgram(let program):
      "\(program.place.rawValue) of \(program.device): \(Escape.name(program.name))"
    case .addressState(let address, let device, let hasFailed):
      "ip addr: \(address) of \(device) is \(hasFailed ? "dadfailed" : "tentative")"
    case .membership(let group, let devices):
      devices.isEmpty
        ? "no interface is a member of \(group)"
        : "member of \(group): \(devices.joined(separator: ", "))"
    case .tunnel(let device, let kind, let program):
      "\(device) is of the kind \(kind)"
        + (program.map { ", and \(Escape.name($0)) has it open" } ?? "")
    case .advertisements(let state):
      "\(state.device) heard a router announce itself; accept_ra is \(state.accept), forwarding "
        + state.forwarding

    // Sockets and others that take packets.
    case .socket(let socket, let device):
      "\(socket.programName) listens on \(socket.place)"
        + (socket.peerPlace.map { ", for \($0) alone" } ?? "")
        + (device.map { " of \($0) alone" } ?? "")
        + (socket.isVersion6Only && socket.address.isUnspecified ? ", IPv6 alone" : "")
        + (socket.address == .v4(0) ? ", IPv4 alone" : "")
    case .acceptQueue(let count, let most):
      "\(count) connections wait to be accepted, where \(most) may"
    case .receiveBuffer(let octets, let most):
      "the receive buffer takes up \(octets) octets, where \(most) may"
    case .queueReader(let reader):
      "\(reader.program.map(Escape.name) ?? "a program") reads queue \(reader.number)"
        + (reader.dropped > 0 ? ", which had no room for \(reader.dropped) packets so far" : "")
    case .securityPolicy(let policy):
      "ip xfrm policy: dir \(policy.direction.rawValue) src \(policy.source) dst "
        + "\(policy.destination)" + (policy.isBlock ? " action block" : "")
        + (policy.peer.map { " tmpl dst \($0)" } ?? "")
    case .nearTranslation(let rule): rule

    // Connections.
    case .connectionState(.untracked):
      "conntrack does not track the packet: a notrack rule, or -j NOTRACK"
    case .connectionState(let state): "conntrack's state of the packet is \(state.rawValue)"
    case .answerState(let state): "conntrack's state of the answer is \(state.rawValue)"
    case .unreplied(let source): "connection UNREPLIED, an answer is expected for \(source)"
    case .translated(let isSource, let target, let isNew):
      (isNew ? "as a new connection: " : "as conntrack has it: ")
        + (isSource ? "source " : "destination ")
        + (target.map { "translated to \($0)" } ?? "not translated")
    case .connectionKnown(let packet):
      "conntrack knew the connection of packet \(packet) when it came"
    case .offloaded(let toHardware):
      "conntrack's status of the connection has "
        + (toHardware ? "IPS_HW_OFFLOAD" : "IPS_OFFLOAD")

    // The recording.
    case .socketOverrun:
      "the socket for NFLOG, trace and conntrack had no room for them: it was not read fast enough"
    case .clockSet(let step):
      "CLOCK_REALTIME went \(step < 0 ? "back" : "on") by \(Phrases.milliseconds(Double(step.magnitude) / 1000)) against CLOCK_MONOTONIC"
    case .missingLogs(let count): "by their numbers, \(count) of them at least are of NFLOG"
    case .recorded(let events, let lost): "\(events) messages were recorded, \(lost) lost"
    }
  }
}
