import App
import Kernel
import Report
import Trace
import Wire

// What is sent, from where, and how it is told of.
extension Ping {
  /// Sends the probes, in the namespace of the calling thread, and watches them in these, of which that is the
  /// first. Returns the exit code, and what helps if one was not answered. If that is all there is to do, rights that are not needed any more are given up.
  func send(
    to asked: Destination? = nil, in spaces: [ChosenNamespace] = [ChosenNamespace()],
    via machines: [RemoteMachine] = [], isAll: Bool = true, copy: HeldCopy? = nil,
    rehearsal: Rehearsal? = nil, prints: Bool = true, export: OTLPExport? = nil
  ) throws -> (code: Int32, last: ProbeResult?, remedy: String?, cause: Finding?) {
    let to = try asked ?? lookedUp()
    // Of a number without a name, a port is meant more often than not.
    if let number = self.asked.flatMap({ UInt8($0.description) }) {
      Output.complain(
        "-p \(number) is IP protocol \(number); port \(number) is -p tcp --dport \(number)")
    }
    let entrances = try choices(to.address).map { try open($0, to.address, in: copy) }
    let loop = Loop()
    let writer = SessionWriter(path: write)
    var options = shared.output
    options.style.time = time
    options.style.isDrawn = diagram
    let wanted: [(String?, ReportFormat)] = [(html, .html), (svg, .svg)]
    let files = try wanted.compactMap { path, format in
      try path.map { try ReportFile($0, format, options.style) }
    }
    var printer =
      prints
      ? PingPrinter(options: options, files: files, export: export) : PingPrinter()
    var code: Int32 = 0
    for (index, entrance) in entrances.enumerated() {
      let settings = spaces.map { _ in TemporarySettings() }
      let isLast = isAll && index == entrances.count - 1
      let sent = Result {
        // Of what is tried again and again, the kernel may still tell when the next is asked.
        var plan = try plan(
          entrance, to,
          prints ? CommandTrace.context(ofWay: index) : CommandTrace.another())
        if count == 1, entrances.count > 1 { plan.ways = entrances.count }
        let namespaces = try zip(spaces, settings).map { space, settings in
          try space.within(among: spaces) {
            try PingNamespace(
              name: space.name, path: space.path, in: space, settings: settings,
              kernel: LivePing(
                in: space, rights: rights(entrance, plan, spaces),
                isRoot: entrance.kind == .local && packet.user == nil && space === spaces[0],
                senderRights: plan.senderRights, rehearses: !noRehearsal,
                searches: shared.verbose),
              rehearsal: rehearsal)
          }
        }
        var run = try PingRun(
          plan, entrance: entrance.probeEntrance(plan),
          masquerade: masquerade && entrance.kind != .local,
          forward: forward && entrance.kind != .local, in: namespaces, via: machines,
          loop: loop, sink: writer)
        return try run.send(&printer, isLast: isLast)
      }
      entrance.leave()
      let ended = Result { try end(settings, in: spaces) }
      do {
        code = max(code, try sent.get())
      } catch {
        // What was seen before that is worth telling.
        if printer.hasResults {
          try? printer.finish(session: nil)
          export?.finish { loop.signal() != nil }
        }
        if case .failure(let failure) = ended {
          throw HalfDone(cause: error, failures: [failure])
        }
        throw error
      }
      let isOver = index == entrances.count - 1 || code >= 128
      if isOver { try printer.finish(session: try writer.finish()) }
      try ended.get()
      if isOver { export?.finish { loop.signal() != nil } }
      if isOver { break }
    }
    return (code, printer.last, printer.remedy, printer.cause)
  }

  /// What is still needed when all is open: where there are several namespaces, they are entered to be asked.
  private func rights(
    _ entrance: Entrance, _ plan: ProbePlan, _ spaces: [ChosenNamespace]
  ) -> Capabilities {
    let rights = entrance.rights(plan)
    guard spaces.count > 1 else { return rights }
    return spaces.reduce(rights.union(.system)) { rights, space in
      rights.union((try? space.within(among: spaces) { RuleListing.rights }) ?? [])
    }
  }

  /// Sets back all settings, each in its namespace, whatever goes wrong in another one.
  private func end(_ settings: [TemporarySettings], in spaces: [ChosenNamespace]) throws {
    var failure: (any Error)?
    for (space, settings) in zip(spaces, settings) {
      do {
        try space.within(among: spaces) { try settings.end() }
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  /// What is sent by an entrance, as part of a trace.
  func plan(
    _ entrance: Entrance, _ to: Destination, _ context: TraceContext
  ) throws -> ProbePlan {
    var plan = ProbePlan(
      source: entrance.source, destination: entrance.destination, proto: proto,
      identifier: UInt16.random(in: 1...UInt16.max), count: count, interval: interval,
      timeout: timeout,
      ttl: UInt8(packet.ttl ?? entrance.usualTTL), tos: UInt8(packet.tos),
      dontFragment: packet.df ?? false,
      size: packet.size ?? kind.size.usual,
      nonce: kind.nonce(of: .random(in: .min ... .max)), device: entrance.deviceName,
      sourcePort: packet.sport.map { UInt16($0) },
      destinationPort: port, entrance: entrance.kind, dryRun: dryRun)
    if like == nil { plan.setContext(context, isSizeChosen: packet.size != nil) }
    plan.carry(by: machines.carriers)
    if machines.ioam { plan.ioam = UInt16(machines.ioamNamespace ?? 0) }
    plan.name = to.name ?? (plan.destination == to.address ? nil : "\(to.address)")
    if let like { try plan.send(like.octets) }
    if entrance.kind == .local {
      plan.boundDevice = device
      plan.senderMark = packet.senderMark
      plan.senderUser = packet.senderUser
      plan.hasChosenSource = sender != nil
    }
    plan.isFromAfar = entrance.isFromAfar
    plan.hasPickedClient = entrance.kind == .arriving && sender == nil
    plan.isPlacedByDefault = entrance.isFromAfar && arriving == nil && tun == nil
    if let question = entrance.question {
      (plan.asksFor, plan.asksFrom) = (question.target, question.sender)
    }
    plan.hasChosenReceiver = entrance.kind == .arriving && destMac != nil
    if like == nil {
      if plan.sourcePort != nil, !dryRun, data == nil { plan.takeWitness() }
      plan.tcpFlags = tcpFlags.flatMap { TCPHeader.Flags(names: $0) } ?? .syn
    }
    if let payload {
      plan.data = payload
      plan.size = payload.count
      plan.count *= plan.probesPerConnection
      plan.dontFragment = true
    }
    if like == nil, plan.version == 4, !plan.dontFragment { plan.discoversMTU = packet.df == nil }
    // Without one, a SYN is like no program's, and some firewalls drop it for that.
    if like == nil, kind.number(to.address.family) == .tcp {
      let usual: UInt16 = to.address.family == 4 ? 1460 : 1440
      plan.maximumSegment = entrance.maximumSegment ?? (data == nil ? usual : nil)
    }
    if let mtu = entrance.mtu { plan.fragment(atMost: mtu) }
    return plan
  }

  /// Where the probes enter: one way, or from this host and as a client.
  func choices(_ to: IPAddress) throws -> [EntranceChoice] {
    var wish = EntranceWish()
    wish.destination = to
    wish.device = device
    wish.source = sender.flatMap { IPAddress($0) }
    wish.interface = arriving ?? tun
    wish.tunAddress = tunAddress.flatMap { Prefix($0) }
    wish.local = local
    wish.changesForwarding = masquerade || forward
    return try wish.choices(HerePlace(proto: kind.number(to.family)))
  }

  /// Opens one of them. In a copy, clients are where the world is.
  func open(_ choice: EntranceChoice, _ to: IPAddress, in copy: HeldCopy? = nil) throws -> Entrance
  {
    if like != nil, choice == .local(source: nil) {
      throw UsageError(
        "the packet's source \(sender ?? "") is no address of this host, which is not to send it: leave "
          + "--local out")
    }
    var fields = LocalSender.Fields(
      version: to.family, ttl: UInt8(packet.ttl ?? 64), tos: UInt8(packet.tos),
      dontFragment: data == nil ? packet.df : true,
      mark: packet.senderMark, user: packet.senderUser)
    fields.device = device
    fields.keepsHeader =
      like != nil || machines.ioam || machines.carriers.contains { !$0.isOfTCP }
    fields.group = try cgroup.map { try ControlGroup($0) }
    let frames = Entrance.FrameWish(
      source: sourceMac.flatMap { Self.hardwareAddress($0) },
      destination: destMac.flatMap { Self.hardwareAddress($0) })
    return try Entrance.open(
      choice, kind.number(to.family), destination: to, port: port, fields: fields, frames: frames,
      mustBeTun: tun != nil, in: copy)
  }
}
