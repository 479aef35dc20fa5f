import Testing
import Wire

/// What a copy of a network namespace is made of and answered with, as octets.
@Suite struct RehearsalTests {
  // MARK: The far side

  private static let mac: [UInt8] = [2, 0, 0, 0, 0, 1]
  private static let other: [UInt8] = [2, 0, 0, 0, 0, 2]

  private static func frame(_ packet: Packet, to: [UInt8] = other) -> [UInt8] {
    to + mac + (packet.source.family == 4 ? [8, 0] : [0x86, 0xdd]) + packet.bytes
  }

  private static func packet(_ transport: Transport, _ proto: IPProtocol, _ payload: [UInt8])
    -> Packet
  {
    let isV6 = proto == .icmpv6
    return Packet(
      source: IPAddress(isV6 ? "fd00::1" : "10.0.0.1")!,
      destination: IPAddress(isV6 ? "fd00::2" : "10.0.0.2")!, proto: proto, transport: transport,
      payload: payload)
  }

  @Test func echoRequestsAreAnswered() throws {
    var answers = FarAnswers()
    for (proto, request, reply) in [(IPProtocol.icmp, UInt8(8), UInt8(0)), (.icmpv6, 128, 129)] {
      let asked = Self.packet(
        .icmp(ICMPHeader(type: request, rest: 0x1234_0001)), proto,
        [1, 2, 3, UInt8(proto.rawValue)])
      let frames = answers.frames(to: Self.frame(asked), interface: 3)
      #expect(frames.count == 1)
      #expect(Array(frames[0][..<6]) == Self.mac && Array(frames[0][6..<12]) == Self.other)
      let answer = try Packet(Array(frames[0][14...]))
      #expect(answer.source == asked.destination && answer.destination == asked.source)
      #expect(answer.payload == asked.payload)
      guard case .icmp(let header) = answer.transport else {
        Issue.record("\(answer)")
        return
      }
      #expect(header.type == reply && header.rest == 0x1234_0001)
    }
  }

  /// What somebody said to a packet once is said to it again, and its words are read as they are written.
  @Test func refusalsAreRepeated() throws {
    let router = IPAddress("10.0.0.254")!
    let echo = ICMPHeader(type: 8, rest: 1)
    for (word, size, isRefused) in [
      ("10.0.0.254,3,4,1300", 1400, true), ("10.0.0.254,3,4,1300", 1200, false),
      ("10.0.0.254,11,0,0", 8, true), ("10.0.0.254,reset", 8, false), ("fd00::9,1,4,0", 8, false),
    ] {
      let refusal = try #require(FarRefusal(word: word))
      #expect(refusal.word == word)
      var stations = KnownStations()
      stations.refusal = refusal
      var answers = FarAnswers(stations)
      let asked = Self.packet(.icmp(echo), .icmp, Array(repeating: 7, count: size))
      let frame = try #require(answers.frames(to: Self.frame(asked), interface: 3).first)
      let answer = try Packet(Array(frame[14...]))
      #expect(answer.destination == asked.source)
      #expect(
        (answer.source == router) == isRefused && (answer.quoted != nil) == isRefused, "\(word)")
      if isRefused { #expect(FarRefusal(answer) == refusal) }
    }
    let syn = TCPHeader(sourcePort: 1000, destinationPort: 80, sequence: 7, flags: .syn)
    let reset = try #require(FarRefusal(word: "10.0.0.2,reset"))
    let segment = Self.packet(.tcp(syn), .tcp, [])
    let refused = try #require(reset.refusing(segment, segment.bytes))
    #expect(refused.tcp?.flags == [.rst, .ack] && refused.tcp?.acknowledgment == 8)
    #expect(FarRefusal(refused) == reset && FarRefusal(segment) == nil)
    for word in [
      "", "10.0.0.1", "10.0.0.1,", "10.0.0.1,3,4", "10.0.0.1,3,256,0", "x,reset",
      "10.0.0.1,reset,1",
    ] {
      #expect(FarRefusal(word: word) == nil, "\(word)")
    }
  }

  /// Nobody else has an address of who routes, nor what has his link-layer address, and who was silent stays so.
  @Test func whoIsNotThereAnswersNothing() {
    let asked = Self.packet(.icmp(ICMPHeader(type: 8, rest: 1)), .icmp, [1])
    let changes: [(inout KnownStations) -> Void] = [
      { $0.add(own: Prefix("10.0.0.2/24")!, on: 9) }, { $0.add(own: Self.other) },
      { $0.add(silent: 3) },
    ]
    for change in changes {
      var stations = KnownStations()
      change(&stations)
      var answers = FarAnswers(stations)
      #expect(answers.frames(to: Self.frame(asked), interface: 3).isEmpty)
    }
  }

  @Test func connectionsStandAndDataIsAcknowledged() throws {
    var answers = FarAnswers()
    let syn = TCPHeader(sourcePort: 1000, destinationPort: 80, sequence: 7, flags: .syn)
    let first = answers.frames(to: Self.frame(Self.packet(.tcp(syn), .tcp, [])), interface: 3)
    guard case .tcp(let reply) = try Packet(Array(first[0][14...])).transport else {
      Issue.record("no TCP")
      return
    }
    #expect(reply.flags == [.syn, .ack] && reply.acknowledgment == 8 && reply.sourcePort == 80)
    let data = TCPHeader(
      sourcePort: 1000, destinationPort: 80, sequence: 8, acknowledgment: reply.sequence &+ 1,
      flags: [.psh, .ack])
    let second = answers.frames(
      to: Self.frame(Self.packet(.tcp(data), .tcp, [1, 2, 3])), interface: 3)
    guard case .tcp(let acknowledged) = try Packet(Array(second[0][14...])).transport else {
      Issue.record("no TCP")
      return
    }
    #expect(acknowledged.acknowledgment == 11 && acknowledged.sequence == reply.sequence &+ 1)
    for flags in [TCPHeader.Flags.rst, .ack, [.syn, .ack]] {
      let other = TCPHeader(sourcePort: 1, destinationPort: 2, sequence: 3, flags: flags)
      #expect(
        answers.frames(to: Self.frame(Self.packet(.tcp(other), .tcp, [])), interface: 3) == [])
    }
  }

  /// Both ends of a router are this one's: what it said comes out at the other.
  @Test func answersAreNotAnswered() throws {
    var answers = FarAnswers()
    let asked = Self.packet(
      .udp(UDPHeader(sourcePort: 5000, destinationPort: 53)), .udp, [9, 9, 9, 9])
    let answer = answers.frames(to: Self.frame(asked), interface: 3)
    #expect(answer.count == 1)
    var seen = try Packet(Array(answer[0][14...]))
    seen.destination = IPAddress("192.168.1.1")!
    #expect(answers.frames(to: Self.frame(seen), interface: 2) == [])
  }

  @Test func associationsStand() throws {
    var answers = FarAnswers()
    for tag: UInt32 in [7, 9] {
      let header = SCTPHeader(
        sourcePort: 1000, destinationPort: 36412, verificationTag: 0, chunk: .initiation,
        initiateTag: tag)
      let frames = answers.frames(
        to: Self.frame(Self.packet(.sctp(header), .sctp, [])), interface: 3)
      let octets = Array(try #require(frames.first)[14...])
      guard case .sctp(let reply) = try Packet(octets).transport else {
        Issue.record("no SCTP")
        return
      }
      #expect(reply.chunk == .initiationAnswer && reply.verificationTag == tag)
      #expect(reply.sourcePort == 36412 && reply.destinationPort == 1000)
      #expect(reply.initiateTag.map { $0 != 0 } == true)
      // What comes back to who said it is not answered.
      #expect(answers.frames(to: Self.frame(try Packet(octets)), interface: 2) == [])
    }
  }

  @Test(arguments: [IPProtocol(rawValue: 47), IPProtocol(rawValue: 50)])
  func whatNobodyKnowsComesBack(_ proto: IPProtocol) throws {
    var answers = FarAnswers()
    let asked = Self.packet(.other, proto, [0, 0, 8, 0, 1, 2, 3])
    let frames = answers.frames(to: Self.frame(asked), interface: 3)
    let answer = try Packet(Array(try #require(frames.first)[14...]))
    #expect(answer.source == asked.destination && answer.destination == asked.source)
    #expect(answer.proto == proto && answer.payload == asked.payload)
  }

  /// In any order; and the answer in pieces that are as long.
  @Test(arguments: [IPProtocol.icmp, .icmpv6], [false, true])
  func piecesAreAnswered(_ proto: IPProtocol, _ isBackwards: Bool) throws {
    var answers = FarAnswers()
    let payload = (0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    var asked = Self.packet(
      .icmp(ICMPHeader(type: proto == .icmp ? 8 : 128, rest: 1)), proto, payload)
    asked.identification = 77
    var pieces = PacketFragments.of(asked.bytes, atMost: 1280, identification: 5)
    if isBackwards { pieces.reverse() }
    let type: [UInt8] = proto == .icmp ? [8, 0] : [0x86, 0xdd]
    var frames: [[UInt8]] = []
    for piece in pieces {
      #expect(frames == [])
      frames = answers.frames(to: Self.other + Self.mac + type + piece, interface: 3)
    }
    #expect(pieces.count == 3 && frames.count == 3 && frames.allSatisfy { $0.count <= 1294 })
    // Together they are the answer: who is asked by it puts it together as well.
    var carried: [UInt8] = []
    for frame in frames {
      let packet = try Packet(Array(frame[14...]))
      #expect(packet.fragment?.more == (frame != frames.last))
      carried += packet.payload
    }
    #expect(carried.suffix(2000) == payload.suffix(2000))
    var again: [[UInt8]] = []
    for frame in frames { again += answers.frames(to: frame, interface: 2) }
    #expect(again == [], "what it said itself")
  }

  @Test func brokenPiecesAreNoPacket() {
    var answers = FarAnswers()
    let asked = Self.packet(.icmp(ICMPHeader(type: 8)), .icmp, [UInt8](repeating: 1, count: 3000))
    let pieces = PacketFragments.of(asked.bytes, atMost: 1280, identification: 5)
    for missing in pieces.indices {
      for (index, piece) in pieces.enumerated() where index != missing {
        for length in [piece.count, 20, 25] {
          #expect(
            answers.frames(
              to: Self.other + Self.mac + [8, 0] + piece.prefix(length), interface: UInt32(missing))
              == [])
        }
      }
      answers = FarAnswers()
    }
  }

  /// A router's packet between two of one subnet is answered past it, to who has the address; others by it.
  @Test(arguments: ["10.0.0.1", "fd00::1"])
  func neighboursAnswerEachOther(_ source: String) throws {
    let isV4 = source.contains(".")
    let asker = IPAddress(source)!
    let target = IPAddress(isV4 ? "10.0.0.2" : "fd00::2")!
    var stations = KnownStations()
    stations.add(own: Self.mac)
    stations.add(own: Prefix(isV4 ? "10.0.0.9/24" : "fd00::9/64")!, on: 3)
    var asked = Self.packet(
      .icmp(ICMPHeader(type: isV4 ? 8 : 128, rest: 1)), isV4 ? .icmp : .icmpv6, [1, 2])
    (asked.source, asked.destination) = (asker, target)
    var answers = FarAnswers(stations)
    let question = NeighbourQuestion(for: asker, from: HardwareAddress(Self.other), at: target)
    #expect(answers.frames(to: Self.frame(asked), interface: 3) == [question.frame])
    // Somebody has that address: who is behind the same interface as another one would say so.
    var elsewhere = FarAnswers()
    let said = elsewhere.frames(to: question.frame, interface: 3)
    let told = answers.frames(to: said[0], interface: 3)
    let answer = try Packet(Array(try #require(told.first)[14...]))
    #expect(answer.destination == asker && Array(told[0][6..<12]) == Self.other)
    #expect(Array(told[0][..<6]) == question.answer(in: said[0])?.bytes)
    #expect(answers.frames(to: said[0], interface: 3) == [], "once")
    // By another interface, from another subnet, or by somebody else than the router: as ever.
    var others = FarAnswers(stations)
    #expect(
      others.frames(to: Self.frame(asked), interface: 4).first.map { Array($0[..<6]) } == Self.mac)
    for (index, own) in [isV4 ? "10.0.1.1" : "fd01::1", isV4 ? "10.0.0.9" : "fd00::9"].enumerated()
    {
      asked.source = IPAddress(own)!
      asked.payload = [3, UInt8(index)]
      #expect(
        others.frames(to: Self.frame(asked), interface: 3).first.map { Array($0[..<6]) } == Self.mac
      )
    }
    // Of a router beyond, who asks is known by what was said of him.
    (asked.source, asked.destination) = (asker, IPAddress(isV4 ? "192.0.2.1" : "fd77::1")!)
    asked.payload = [5]
    stations.add(target, at: Self.other)
    var beyond = FarAnswers(stations)
    #expect(beyond.frames(to: Self.frame(asked), interface: 3) == [question.frame])
    (asked.source, asked.destination) = (IPAddress(isV4 ? "10.0.1.1" : "fd01::1")!, target)
    asked.payload = [3]
    #expect(
      others.frames(to: Self.frame(asked), interface: 3).first.map { Array($0[..<6]) } == Self.mac)
    (asked.source, asked.payload) = (asker, [4])
    let bridged = Self.other + Self.other + (isV4 ? [8, 0] : [0x86, 0xdd]) + asked.bytes
    #expect(others.frames(to: bridged, interface: 3).first.map { Array($0[..<6]) } == Self.other)
  }

  @Test func whoIsNotKnownGetsNoAnswer() {
    var stations = KnownStations()
    stations.add(unreturned: IPAddress("10.0.0.1")!)
    var answers = FarAnswers(stations)
    var asked = Self.packet(.icmp(ICMPHeader(type: 8)), .icmp, [1])
    #expect(answers.frames(to: Self.frame(asked), interface: 3) == [])
    asked.source = IPAddress("10.0.0.3")!
    #expect(answers.frames(to: Self.frame(asked), interface: 3).count == 1)
  }

  @Test func nobodyAnswersForMany() {
    var answers = FarAnswers()
    let asked = Self.packet(.icmp(ICMPHeader(type: 8)), .icmp, [1])
    let everybody = [UInt8](repeating: 0xff, count: 6)
    #expect(answers.frames(to: Self.frame(asked, to: everybody), interface: 3) == [])
    for length in 0..<40 {
      #expect(answers.frames(to: Array(Self.frame(asked).prefix(length)), interface: 3) == [])
    }
  }

  @Test(arguments: ["10.0.0.9", "fd00::9"])
  func neighboursAreThere(_ target: String) throws {
    let asker = HardwareAddress(Self.mac)
    let address = IPAddress(target)!
    var answers = FarAnswers()
    for sender in [nil, IPAddress(address.family == 4 ? "10.0.0.1" : "fd00::1")!] {
      let question = NeighbourQuestion(for: address, from: asker, at: sender)
      let frames = answers.frames(to: question.frame, interface: 3)
      #expect(frames.count == 1 && Array(frames[0][..<6]) == Self.mac, "for the asker alone")
      let found = try #require(question.answer(in: frames[0]))
      #expect(found.bytes[0] & 3 == 2, "a locally administered address of one host: \(found)")
    }
    // Who says that it has the address asks nobody.
    let said = NeighbourQuestion(for: address, from: asker, at: address)
    #expect(address.family == 6 || answers.frames(to: said.frame, interface: 3) == [])
  }

  // MARK: Rules

  private static func expression(_ name: String, _ data: [NetlinkAttribute]) -> NetlinkAttribute {
    NetlinkAttribute(
      1, nested: [NetlinkAttribute(1, string: name), NetlinkAttribute(2, nested: data)])
  }

  private static func compare(_ register: UInt32, _ value: UInt8, isDifferent: Bool = false)
    -> NetlinkAttribute
  {
    expression(
      "cmp",
      [
        NetlinkAttribute(1, network: register),
        NetlinkAttribute(2, network: UInt32(isDifferent ? 1 : 0)),
        NetlinkAttribute(3, nested: [NetlinkAttribute(1, [value])]),
      ])
  }

  private static let layer4 = expression(
    "meta", [NetlinkAttribute(1, network: UInt32(1)), NetlinkAttribute(2, network: UInt32(16))])
  private static let match = expression("match", [NetlinkAttribute(1, string: "tcp")])

  @Test func protocolsAreReadOffARule() {
    #expect(
      RuleProtocol([Self.layer4, Self.compare(1, 6)], family: 2) == nil, "no match of iptables")
    #expect(RuleProtocol([Self.match], family: 2) == nil, "no protocol")
    #expect(RuleProtocol([Self.layer4, Self.compare(1, 6), Self.match], family: 2)?.number == 6)
    #expect(
      RuleProtocol([Self.layer4, Self.compare(2, 6), Self.match], family: 2) == nil,
      "another register")
    let inverted = RuleProtocol(
      [Self.layer4, Self.compare(1, 17, isDifferent: true), Self.match], family: 2)
    #expect(inverted?.number == 17 && inverted?.isInverted == true)
    let payload = Self.expression(
      "payload",
      [(1, 1), (2, 1), (3, 9), (4, 1)].map { NetlinkAttribute($0.0, network: UInt32($0.1)) })
    #expect(RuleProtocol([payload, Self.compare(1, 1), Self.match], family: 2)?.number == 1)
  }

  // MARK: Elements

  private static func element(_ key: [UInt8], isEnd: Bool = false) -> NetlinkAttribute {
    NetlinkAttribute(
      1,
      nested: [NetlinkAttribute(1, nested: [NetlinkAttribute(1, key)])]
        + (isEnd ? [NetlinkAttribute(3, network: UInt32(1))] : []))
  }

  @Test func intervalsBeginBeforeTheyEnd() {
    let listed = [
      Self.element([0, 9], isEnd: true), Self.element([0, 5]), Self.element([0, 5], isEnd: true),
      Self.element([0, 1]),
    ]
    let made = SetElementLists(listed, isInterval: true).parts
    #expect(made == [[listed[3], listed[2], listed[1], listed[0]]])
    #expect(SetElementLists(listed, isInterval: false).parts == [listed])
  }

  @Test func elementsFitIntoAttributes() {
    let many = (0..<5000).map { Self.element([UInt8($0 >> 8), UInt8($0 & 0xff), 0, 0]) }
    let parts = SetElementLists(many, isInterval: false).parts
    #expect(parts.count > 1 && parts.joined().count == 5000)
    #expect(parts.allSatisfy { $0.bytes.count <= NetlinkAttribute.maximumLength })
  }

  // MARK: Bridges and VLANs

  /// Who was seen behind a port of a bridge answers there alone; who was not, behind all.
  @Test func whoIsBehindOnePortAnswersThere() throws {
    let own: [UInt8] = [2, 0, 0, 0, 0, 9]
    var stations = KnownStations()
    for port: UInt32 in [3, 4] { stations.add(port: port, of: 7) }
    stations.add(own, behind: 4)
    // No port of this bridge.
    stations.add([2, 0, 0, 0, 0, 8], behind: 5)
    stations.add(IPAddress("10.0.0.2")!, at: own)
    stations.add(IPAddress("fd00::2")!, at: own)
    var answers = FarAnswers(stations)
    func who(_ target: [UInt8]) -> [UInt8] {
      [UInt8](repeating: 0xff, count: 6) + Self.mac + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + Self.mac
        + [10, 0, 0, 1] + [0, 0, 0, 0, 0, 0] + target
    }
    #expect(answers.frames(to: who([10, 0, 0, 2]), interface: 3).isEmpty)
    let answer = answers.frames(to: who([10, 0, 0, 2]), interface: 4)
    #expect(answer.first.map { Array($0[6..<12]) } == own)
    for port: UInt32 in [3, 4] {
      let other = answers.frames(to: who([10, 0, 0, 3]), interface: port)
      #expect(
        other.first.map { Array($0[6..<12]) }
          == FarAnswers.hardware(of: IPAddress("10.0.0.3")!, port)
      )
    }
    // Who is behind two of them has an address at each.
    stations.add([2, 0, 0, 0, 0, 7], behind: 3)
    stations.add(IPAddress("10.0.0.2")!, at: [2, 0, 0, 0, 0, 7])
    for (port, hardware) in [(UInt32(3), [2, 0, 0, 0, 0, 7]), (4, own)] {
      #expect(stations.hardware(of: IPAddress("10.0.0.2")!, near: port) == hardware)
    }
    // Behind another interface it is somebody else's address.
    #expect(answers.frames(to: who([10, 0, 0, 2]), interface: 5).count == 1)
    let asked = Self.packet(.icmp(ICMPHeader(type: 8, rest: 1)), .icmp, [1])
    #expect(answers.frames(to: Self.frame(asked, to: own), interface: 3).isEmpty)
    #expect(answers.frames(to: Self.frame(asked, to: own), interface: 4).count == 1)
  }

  /// Who was looked for in vain is found by no search; the host that asks gets an answer as from all the world.
  @Test(arguments: ["10.0.0.9", "fd00::9"])
  func whoIsAbsentIsNotFound(_ target: String) {
    let address = IPAddress(target)!
    var stations = KnownStations()
    for port: UInt32 in [3, 4] { stations.add(port: port, of: 7) }
    stations.add(absent: address, of: 7)
    var answers = FarAnswers(stations)
    let asker = HardwareAddress(Self.mac)
    let own = IPAddress(address.family == 4 ? "10.0.0.1" : "fd00::1")!
    for (port, sender, count) in [(UInt32(3), nil, 0), (5, nil, 1), (3, own, 1)] {
      let question = NeighbourQuestion(for: address, from: asker, at: sender)
      #expect(answers.frames(to: question.frame, interface: port).count == count)
    }
  }

  @Test func answersHaveTheTagOfWhatTheyAnswer() throws {
    var answers = FarAnswers()
    let asked = Self.packet(.icmp(ICMPHeader(type: 8, rest: 2)), .icmp, [2])
    let frame = Self.frame(asked)
    let tag: [UInt8] = [0x81, 0, 0x20, 10]
    let frames = answers.frames(to: frame[..<12] + tag + frame[12...], interface: 3)
    #expect(frames.count == 1)
    #expect(Array(frames[0][12..<18]) == tag + [8, 0])
    #expect(try Packet(Array(frames[0][18...])).source == asked.destination)
    #expect(answers.frames(to: frame[..<12] + tag, interface: 3).isEmpty)
  }
}
