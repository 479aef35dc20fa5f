internal import Kernel
internal import Report
internal import Trace

/// Diverts packets, has an `InterceptRun` move them, and takes back what was changed.
package struct InterceptSession {
  private let request: InterceptRequest
  private let host: any InterceptHost

  /// Nothing is changed yet.
  package init(_ request: InterceptRequest, _ host: any InterceptHost) {
    self.request = request
    self.host = host
  }

  /// Goes on until there were enough packets, or a signal comes. Returns the exit code.
  package func run() throws -> Int32 {
    let options = request.options
    var (run, end) = try move()
    let signal: Int32? = if case .signal(let signal) = end { signal } else { nil }
    try run.watchOn(isInterrupted: signal != nil)
    try run.finish(
      json: options.json, netns: options.netns, release: host.release,
      subnets: request.subnets.texts)
    switch end {
    case .enough: return 0
    case .signal(let signal): return 128 + signal
    case .lost: return 3
    }
  }

  /// Moves packets. When it is over, however, they go their own way again, and the device is gone: the
  /// traffic first, then the words.
  private func move() throws -> (run: InterceptRun, end: InterceptRun.End) {
    // From here on signals are something to read, and so nothing is left when one comes.
    let loop = host.loop
    let device = try host.divert(
      request.subnets.prefixes, into: request.tun ?? "nftrace%d",
      translating: request.versionsSentElsewhere)
    var run: InterceptRun
    do {
      run = try open(device.name, loop)
      try host.giveUpRights()
    } catch {
      try? device.end {}
      throw error
    }
    if !request.options.isQuiet { announce(device) }
    let result = Result { try run.go(device) }
    try device.end { run.drain(device) }
    let end = try result.get()
    if case .lost(let loss) = end {
      Output.complain(
        "\(device.name) was \(loss.rawValue): packets to \(subnets) go their own way again")
    }
    return (run, end)
  }

  private func open(_ device: String, _ loop: any EventLoop) throws(KernelError) -> InterceptRun {
    let options = request.options
    let way =
      request.traces
      ? InterceptTrace(
        try host.traffic(of: request.watched, divertedInto: device), device: device,
        rate: host.isInteractive ? FollowReport.terminalRate : nil, options)
      : nil
    return InterceptRun(
      Interception(
        matches: request.matches, list: request.list,
        action: request.drops ? .drop : .change(request.edits), forgesEcho: request.forgesEcho),
      trace: way,
      prints: options.isQuiet || options.json
        ? .nothing : options.style.verbosity == .verbose ? .all : .chosen,
      hex: request.hex,
      limit: request.limit, output: host.output, loop: loop)
  }

  private func announce(_ device: any DivertedPackets) {
    for remark in device.remarks { Output.complain(StyledLine(remark)) }
    Output.complain("packets to \(subnets) go through \(device.name)")
  }

  private var subnets: String { request.subnets.texts.joined(separator: ", ") }
}
