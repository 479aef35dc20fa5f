/// Something that a diagnosis has to know of the kernel, and that is asked when a probe was lost.
package enum Need: Sendable, Hashable {
  /// Which way the packet would go, had this host made it.
  case plainRoute
  /// Which way an answer would go.
  case wayBack
  /// Which way this host's own answer would go to who asked it.
  case answerRoute
  /// The routes of all tables that lead to where the packets go and come from.
  case routes
  /// Interfaces, addresses and neighbours.
  case neighbours
  /// The rules of interfaces' own chains that a packet met before it was lost.
  case ingressRules
  /// The rules by which firewalld leads packets to their zones.
  case zoneRules
  /// The rules that it met before conntrack looked at it.
  case trackingRules
  /// The rules that it met where its TTL became another, and forwarding did not do it.
  case ttlRules
  /// The rules of the chain whose policy dropped it.
  case policyChain
  /// The last rule that was met before a policy dropped it.
  case ruleBeforePolicy
  /// A setting.
  case setting(Setting)
  /// A setting of the interfaces on the packet's way, and of "all".
  case interfaceSetting(InterfaceSetting)
  /// By how much a counter went up meanwhile.
  case counter(Counter)
  /// The same of an interface's counter.
  case interfaceCounter(InterfaceCounter)
  /// Something of this host besides netfilter and routing.
  case host(HostNeed)
}
