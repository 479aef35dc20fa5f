package import Wire

/// One thing that a finding was concluded from. The words for it are Report's.
package enum Evidence: Sendable, Equatable {
  // MARK: Rules and chains

  /// The deciding rule, in its owner's words.
  case rule(String)
  /// A rule that was met before, and did not decide.
  case metBefore(RuleStep)
  /// The rule by which a chain was reached.
  case ledTo(chain: String, by: RuleStep)
  /// The element of a set that had the packet.
  case element(SetElement)
  /// The rule that gave the packet its mark.
  case markSet(UInt32, by: RuleStep)
  /// A bridge has the rules of this program look at what it carries.
  case bridgedThrough(String)
  /// Where the chain stands whose policy decided: its name, hook and priority.
  case chain(String, Hook, priority: Int32)
  /// A program that makes rules here: "Docker".
  case manager(String)
  /// The TRACE of iptables-legacy names the rule last.
  case namedByLegacyTrace
  /// Seen before this table of iptables-legacy, and not behind it.
  case lostInLegacyTable
  /// Why rules of iptables-legacy cannot be named.
  case missingLegacyTrace(String)
  /// The tables of iptables-legacy that are in use.
  case legacyTables([String])
  /// No rule of nf_tables at this hook dropped it.
  case droppedByNoRule(of: Hook)

  // MARK: What the kernel said of a packet

  /// The kernel's own reason for the drop, and the function that dropped it.
  case dropReason(String, place: String?)
  /// The same of another network namespace of this machine, by its name, or its number.
  case droppedElsewhere(in: String, reason: String?, place: String?)
  /// Why the kernel's reasons are not to be had.
  case missingDropReasons(String)
  /// The ICMP error or reset that came back; `isOurs` if this host made it.
  case refusal(Packet, isOurs: Bool)
  /// Sending was refused with this errno.
  case sendingRefused(Int32)

  // MARK: Where it was seen

  /// The last point that it was seen at.
  case seenLast(at: String)
  /// No hook saw it.
  case seenNowhere
  /// It was seen at the interfaces' own hooks alone.
  case seenAtInterfacesOnly
  /// Routing has a way for it.
  case routed
  /// No rule dropped it, and the machine that it is handed to is known.
  case nextHopKnown
  /// It is the first fragment of a packet.
  case firstFragment
  /// It left through this interface with this source.
  case sent(through: String, source: IPAddress)
  /// It was delivered to this host, which made no reply.
  case notReplied
  /// The answer as it came to the client.
  case answerFrom(Packet)
  /// The answer was delivered to this host.
  case answerDelivered
  /// The request left with this source, and the answer to it was delivered to this host.
  case answerDeliveredTo(source: IPAddress)
  /// A packet, by its number, came in and left with these TTLs, and IP's hooks never had it.
  case forwardedPastHooks(packet: Int, version: Int, ttl: UInt8, now: UInt8)
  /// At this point the kernel names two ports of a bridge.
  case bridgePorts(ObservationPoint, in: String, out: String)

  // MARK: Settings and counters

  /// A setting, by its name, and its value.
  case setting(String, value: String)
  /// A setting that would stop the packet as well, were it not for the cause.
  case settingForbidsToo(String, value: String)
  /// A counter went up by so much meanwhile.
  case counter(Counter, by: UInt64)
  /// Conntrack dropped packets meanwhile.
  case conntrackDropped
  /// Packets more that queues and tc filters of this interface dropped.
  case queueDropped(by: String, count: UInt64)
  /// Connections in conntrack's table, and how many it takes.
  case connectionCount(Int, of: Int)

  // MARK: Routing

  /// A rule of policy routing.
  case policyRule(RoutingRule)
  /// A route.
  case route(RouteMessage)
  /// A route of this table throws it on to the next.
  case thrown(byTable: UInt32)
  /// A lookup finds no route to this address.
  case noRouteFound(to: IPAddress)
  /// A lookup says that this address is one of this host's.
  case foundLocal(IPAddress)
  /// A lookup is refused with this errno.
  case lookupRefused(Int32)
  /// An interface is down, so that routes through it are not used.
  case routesUnused(through: String)
  /// The longest packet that an interface takes; nil for the route itself.
  case mtu(of: String?, Int)

  // MARK: Interfaces, addresses, neighbours

  /// The state of an interface.
  case interfaceState(String, LinkMessage.OperationalState)
  /// An interface's address.
  case address(Prefix, of: String)
  /// No interface has this address.
  case noInterfaceHas(IPAddress)
  /// Two addresses are in one subnet.
  case sameSubnet(source: IPAddress, target: String, Prefix)
  /// A neighbour's entry, as ip(8) lists it.
  case neighbour(IPAddress, device: String, NeighbourMessage.State)
  /// An interface in another network namespace of this machine has the address.
  case owner(IPAddress, AddressOwner)
  /// The state of the neighbour that it was handed to.
  case nextHop(IPAddress, NeighbourMessage.State)
  /// A port of a bridge sends nothing back that came in by it.
  case hairpinOff(String)
  /// A port of a bridge has nothing to do with others that are isolated, too.
  case isolated(String)
  /// A port of a bridge takes only what is known to be behind it.
  case locked(String)
  /// A port of a bridge, and its setting that keeps the bridge from sending questions by it.
  case floodOff(String, setting: String)
  /// What spanning tree lets a port of a bridge do.
  case portState(String, LinkMessage.BridgePortState)
  /// Behind which port the forwarding table of a bridge has an address, because somebody wrote it down.
  case staticEntry(HardwareAddress, port: String)
  /// The forwarding table of an interface has nothing of an address.
  case noEntry(HardwareAddress, device: String)
  /// An XDP program sees this interface's packets before any hook.
  case xdpProgram(String)

  /// What looks at packets at an interface, outside of netfilter.
  case deviceProgram(DeviceProgram)
  /// An address of an interface that others have as well, by duplicate address detection, or that is
  /// still being asked for.
  case addressState(Prefix, of: String, hasFailed: Bool)
  /// Groups that an interface is a member of.
  case membership(of: IPAddress, on: [String])
  /// What an interface is, and who has it open.
  case tunnel(String, kind: String, program: String?)
  /// An interface heard a router announce itself, and what its settings make of that.
  case advertisements(RouterAdvertisements)

  // MARK: Sockets and others that take packets

  /// A socket and its program; the name of the interface if it is bound to one.
  case socket(HostSocket, device: String?)
  /// How many connections wait in a listener's queue, of how many that may.
  case acceptQueue(UInt32, of: UInt32)
  /// How many octets of memory a receive buffer takes up, of how many that it may.
  case receiveBuffer(UInt32, of: UInt32)
  /// Who reads a queue.
  case queueReader(QueueReader)
  /// A policy of IPsec.
  case securityPolicy(SecurityPolicy)
  /// A rule for NAT that fits but for one thing.
  case nearTranslation(String)

  // MARK: Connections

  /// What conntrack makes of the packet.
  case connectionState(Connection.State)
  /// What conntrack makes of the answer.
  case answerState(Connection.State)
  /// Conntrack waits for an answer for this address.
  case unreplied(IPAddress)
  /// What conntrack makes of a packet: whether its source or its destination is translated, and to what; nil for
  /// nothing. `isNew` is for the same packet in a connection of its own.
  case translated(isSource: Bool, to: String?, isNew: Bool)
  /// Conntrack knew the connection of this packet, by its number, when it came.
  case connectionKnown(packet: Int)
  /// Conntrack's status says that a flowtable has the connection, or the interface itself.
  case offloaded(toHardware: Bool)

  // MARK: The recording

  /// The socket for the kernel's messages had no room.
  case socketOverrun
  /// So many of the lost messages at least are of NFLOG.
  case missingLogs(Int)
  /// The machine's clock was set by so many nanoseconds.
  case clockSet(Int64)
  /// Messages of a recording: recorded and lost.
  case recorded(Int, lost: Int)
}
