internal import CNetfilter
internal import Glibc
internal import Trace
internal import Wire

/// Finds out what this host has besides netfilter and routing. What a kernel or the rights do not tell
/// is not answered.
enum HostInquiry {
  /// Entries of a list that are kept, at most.
  private static let most = 1024

  /// The answer. Programs are looked at only where they are to be named.
  static func answer(
    _ question: HostQuestion, _ descriptors: OpenDescriptors, _ routes: inout RouteSocket,
    _ rules: inout RulesetReader
  ) -> HostState? {
    switch question {
    case .sockets(let proto, let ports):
      return sockets(proto, ports, descriptors).map { found in HostState { $0.sockets = found } }
    case .queues: return queues(descriptors).map { found in HostState { $0.queues = found } }
    case .policies: return policies().map { found in HostState { $0.policies = found } }
    case .holders(let devices):
      return HostState {
        $0.holders = descriptors.survey.devices.filter { devices.contains($0.key) }.mapValues(
          \.program)
      }
    case .memberships:
      let found = memberships()
      return HostState { $0.memberships = found }
    case .proxies:
      return proxies(&routes).map { found in HostState { $0.proxies = found } }
    case .advertisements:
      let found = advertisements()
      return HostState { $0.advertisements = found }
    case .programs(let devices):
      let found = DevicePrograms.list(of: devices, descriptors, &routes)
      return HostState { $0.programs = found }
    case .redirects(let devices):
      let found = DevicePrograms.redirects(of: devices, &routes)
      return HostState { $0.redirects = found }
    case .portForwards(let version, let port):
      return NATRules.naming(port: port, version: version, &rules).map { found in
        HostState { $0.portForwards = found }
      }
    case .rulesBeside(let steps):
      var found: [RuleText] = []
      for step in steps {
        let isListed = found.contains {
          $0.family == step.family && $0.table == step.table && $0.chain == step.chain
        }
        if !isListed { found += RuleListing.chain(of: step, &rules) }
      }
      return HostState { $0.rulesBeside = found }
    case .elements(let steps, let hop):
      let found = SetElements.list(steps, hop, &rules)
      return HostState { $0.elements = found }
    case .transparentProxies:
      let found = NATRules.transparentProxies(&rules)
      return HostState { $0.transparentProxies = found }
    case .whereabouts(let address, let device):
      guard let deputy = descriptors.deputy else { return nil }
      let found = AddressSurvey.sought(address, behind: device).compactMap {
        deputy.whereabouts(of: $0, behind: device)
      }
      return found.isEmpty ? nil : HostState { $0.whereabouts = found }
    case .sourceTranslations(let version):
      return NATRules.count(atPostrouting: version, &rules).map { count in
        let found = NATRules.translatingSources(version: version, &rules)
        return HostState {
          $0.sourceTranslations = count
          $0.sourceRules = found
        }
      }
    }
  }

  // MARK: Sockets

  private static func sockets(
    _ proto: IPProtocol, _ ports: [UInt16], _ descriptors: OpenDescriptors
  ) -> [HostSocket]? {
    guard
      var conversation = try? NetlinkConversation(with: .sockets, attempt: "list the sockets")
    else { return nil }
    var found: [SocketMessage] = []
    for version in [4, 6] {
      for port in ports.isEmpty ? [0] : ports {
        let messages = try? conversation.dump(
          SocketMessage.question(proto: proto, version: version, port: port),
          attempt: "list the sockets")
        // A kernel without IPv6 has none of its sockets.
        guard let messages else {
          if version == 4 { return nil }
          continue
        }
        found += messages.compactMap { try? SocketMessage(parsing: $0) }
      }
    }
    found = Array(found.filter { $0.port != 0 }.prefix(most))
    let owners = found.isEmpty ? [:] : descriptors.survey.sockets
    return found.map {
      let owner = owners[$0.inode]
      return HostSocket($0, proto: proto, program: owner?.program, group: owner?.group)
    }
  }

  /// /proc/net/netfilter/nfnetlink_queue: number, port of who reads it, length, mode, range, dropped by
  /// the queue, dropped for want of room on the way to the reader, and more.
  private static func queues(_ descriptors: OpenDescriptors) -> [QueueReader]? {
    guard let text = try? Files.text("/proc/thread-self/net/netfilter/nfnetlink_queue") else {
      return nil
    }
    let inodes = netlinkSockets()
    let lines = text.split(separator: "\n").map {
      $0.split(separator: " ").compactMap { UInt64($0) }
    }.filter { $0.count >= 7 }
    let owners = lines.isEmpty ? [:] : descriptors.survey.sockets
    return lines.prefix(most).map { numbers in
      QueueReader(
        number: UInt16(truncatingIfNeeded: numbers[0]),
        program: inodes[numbers[1]].flatMap { owners[$0]?.program }
          // Mostly a port is the number of the process.
          ?? DescriptorSurvey.program(Int(clamping: numbers[1])),
        dropped: numbers[5].adding(clamped: numbers[6]))
    }
  }

  /// The inodes of the sockets to netfilter, by their ports: /proc/net/netlink has the protocol in its
  /// second column, the port in the third and the inode in the last.
  private static func netlinkSockets() -> [UInt64: UInt32] {
    let text = (try? Files.text("/proc/thread-self/net/netlink")) ?? ""
    var inodes: [UInt64: UInt32] = [:]
    for line in text.split(separator: "\n").dropFirst() {
      let words = line.split(separator: " ")
      guard words.count >= 10, words[1] == "\(NETLINK_NETFILTER)", let port = UInt64(words[2]),
        let inode = UInt32(words[9])
      else { continue }
      inodes[port] = inode
    }
    return inodes
  }

  // MARK: IPsec

  private static func policies() -> [SecurityPolicy]? {
    guard
      var conversation = try? NetlinkConversation(
        with: .security, attempt: "list the policies of IPsec"),
      let policies = try? conversation.dump(
        SecurityPolicyMessage.question, attempt: "list the policies of IPsec")
    else { return nil }
    if policies.isEmpty { return [] }
    let associations = try? conversation.dump(
      SecurityPolicyMessage.associationQuestion, attempt: "list the associations of IPsec")
    let ends = (associations ?? []).compactMap { try? SecurityPolicyMessage.association($0) }
    return policies.prefix(most).compactMap {
      (try? SecurityPolicyMessage(parsing: $0)).flatMap {
        SecurityPolicy($0, associations: ends)
      }
    }
  }

  // MARK: Neighbours and groups

  /// The groups that interfaces are members of: /proc/net/igmp has an address in the order of the
  /// machine, in hexadecimal, below its interface; igmp6 all on one line.
  private static func memberships() -> [Membership] {
    var found: [Membership] = []
    var device = ""
    let text = (try? Files.text("/proc/thread-self/net/igmp")) ?? ""
    for line in text.split(separator: "\n").dropFirst() {
      let words = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
      if line.first != "\t", words.count >= 2 {
        device = String(words[1])
      } else if let word = words.first, let number = UInt32(word, radix: 16) {
        found.append(Membership(device: device, address: .v4(number.byteSwapped)))
      }
    }
    let text6 = (try? Files.text("/proc/thread-self/net/igmp6")) ?? ""
    for line in text6.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 3, let number = UInt128(words[2], radix: 16) else { continue }
      found.append(Membership(device: String(words[1]), address: .v6(number)))
    }
    return Array(found.prefix(most))
  }

  /// `ip neigh show proxy`: they are listed where the request has the flag that they have.
  private static func proxies(_ routes: inout RouteSocket) -> [Membership]? {
    guard let links = try? routes.links(), let messages = try? routes.proxyNeighbours() else {
      return nil
    }
    let names = Dictionary(links.map { ($0.index, $0.name) }, uniquingKeysWith: { $1 })
    return messages.prefix(most).compactMap { entry in
      names[entry.interface].map { Membership(device: $0, address: entry.address) }
    }
  }

  /// Interfaces that have heard a router announce itself.
  private static func advertisements() -> [RouterAdvertisements] {
    let folder = "/proc/thread-self/net/dev_snmp6"
    return Files.names(in: folder).sorted().prefix(most).compactMap { device in
      guard let text = try? Files.text("\(folder)/\(device)"),
        text.split(separator: "\n").contains(where: { line in
          line.hasPrefix("Icmp6InRouterAdvertisements") && !line.hasSuffix("\t0")
            && !line.hasSuffix(" 0")
        }),
        let accept = try? Sysctl(path: "net/ipv6/conf/\(device)/accept_ra")?.read(),
        let forwarding = try? Sysctl(path: "net/ipv6/conf/\(device)/forwarding")?.read()
      else { return nil }
      return RouterAdvertisements(device: device, accept: accept, forwarding: forwarding)
    }
  }
}
