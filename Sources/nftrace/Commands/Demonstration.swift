import App
import ArgumentParser
import Glibc
import Kernel
import Report
import Wire

/// What 'nftrace lab' shows to somebody who sees it for the first time: a packet that gets through, and three that do
/// not, with what helps.
struct Demonstration {
  private let style = Output.style(color: .auto, verbosity: .normal)
  /// Whether somebody sits before it who says when it goes on.
  private let isWatched = Terminal.isInteractive && isatty(STDIN_FILENO) == 1

  /// The client of the lab, and whom it asks.
  private static let client = IPAddress("192.168.69.1")!
  private static let server = IPAddress("119.29.29.29")!
  private static let ping = ["-s", "\(client)", "--tun", "tun0", "\(server)"]
  private static let question = ["-p", "udp", "--sport", "5353", "--dport", "53"]

  /// Rows around a report: the command and an empty one above it, an empty one and what goes on below.
  private static let rowsAround = 4

  /// Something that breaks the router.
  private struct Fault {
    let title: String
    let steps: [Step]
    var arguments: [String] = []
  }

  private enum Step {
    /// A line for the shell, in the router.
    case shell(String)
    /// The client asks the server's UDP port 53, from its port 5353.
    case clientAsks
  }

  private static let faults = [
    Fault(
      title: "1. Somebody writes a firewall.",
      steps: [
        .shell("nft add table inet fw"),
        .shell("nft add chain inet fw forward '{ type filter hook forward priority filter; }'"),
        .shell("nft add rule inet fw forward ct state established,related accept"),
        .shell(
          "nft add rule inet fw forward ip daddr \(server) icmp type echo-request drop comment '\"no pings\"'"
        ),
      ]),
    Fault(
      title: "2. Somebody loads the firewall anew, and forgets the masquerading.",
      steps: [.shell("nft flush chain ip nat postrouting")]),
    Fault(
      title:
        "3. A DNS client asks meanwhile. The rule is back, and that client still has no answer.",
      steps: [
        .shell("nft flush chain ip nat postrouting"), .clientAsks,
        .shell("nft add rule ip nat postrouting ip saddr 192.168.69.0/24 masquerade"),
      ], arguments: question),
  ]

  /// Shows it, in the lab's router; returns the exit code.
  func run() throws -> Int32 {
    if let signal = try healthy() { return 128 + signal }
    guard try has("nft") else {
      try tell(
        "\nnft, which breaks the router, is not installed here: 'apt install nftables conntrack' (Debian, Ubuntu), "
          + "then 'nftrace lab' again.")
      return 3
    }
    for fault in Self.faults {
      if let signal = pause("break it") { return 128 + signal }
      if let signal = try show(fault) { return 128 + signal }
    }
    try Output.show("\nGo on:")
    for (command, words) in Self.more {
      let line = TextLayout.padded(command, to: 55) + words
      let isNarrow = TextLayout.columns(line) + 2 > style.width
      try Output.print(isNarrow ? ["  \(command)", "      \(words)"] : ["  \(line)"])
    }
    return 0
  }

  private static let more = [
    ("nftrace lab bash", "a shell in the router"),
    ("nftrace lab -- nftrace ping --tun tun0 2001:db8:29::29", "the same with IPv6"),
    ("nftrace ping DEST", "from this machine"),
    ("nftrace setup SUBNET; nftrace show --follow", "real traffic"),
  ]

  /// What is connected with what, across or, where there is no room, down.
  private var topology: [StyledLine] {
    let (line, down) = style.unicode ? ("──", "│") : ("--", "|")
    guard style.width < 78 else {
      return [
        "", "  client            router                            server",
        "  192.168.69.1 \(line) tun0   eth0 172.16.16.15 \(line) 172.16.16.1, 119.29.29.29",
      ]
    }
    return [
      "", "  client  192.168.69.1", "    \(down)", "  router  tun0", "          eth0 172.16.16.15",
      "    \(down)", "  server  172.16.16.1, 119.29.29.29",
    ]
  }

  /// Says it in as many lines as it takes.
  private func tell(_ text: String) throws {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    try Output.show(
      lines.flatMap { TextLayout.wrapped(String($0), to: style.width) }.joined(separator: "\n"))
  }

  /// A command as it is typed.
  private func show(command: String, prompt: String) throws {
    let lines = style.broken(command: command, behind: 4, indent: "      ")
    try Output.show("  \(prompt) " + lines.map(\.text).joined(separator: "\n"))
  }

  /// A ping that gets through; returns the signal that ended it, if one did.
  private func healthy() throws -> Int32? {
    try tell("A router and a server, each in a network namespace made for this:")
    try Output.print(topology)
    try tell(
      "\nThe router forwards, and masquerades what comes from 192.168.69.0/24. nftrace plays the client: it puts a "
        + "ping into tun0 and watches it go through the router.")
    if let signal = pause("send it") { return signal }
    _ = try ask([])
    return nil
  }

  /// Breaks the router, asks, and has what helps run; returns the signal that ended it, if one did.
  private func show(_ fault: Fault) throws -> Int32? {
    try tell("\n\(fault.title)\n")
    for step in fault.steps {
      switch step {
      case .shell(let line): try shell(line)
      case .clientAsks:
        try tell(
          "(\(Self.client) asks \(Self.server), from UDP port 5353 to port 53; --sport 5353 below asks in the "
            + "same connection: a new one would meet the new rule)")
        try clientAsks()
      }
    }
    if let signal = pause("ask nftrace") { return signal }
    guard let remedy = try ask(fault.arguments) else { return nil }
    if let signal = pause("run the remedy") { return signal }
    try Output.show("")
    let program = String(remedy.prefix { $0 != " " })
    guard try has(program) else {
      try tell(
        "\(program) is not installed here, so the remedy is not run: 'apt install \(Self.package(of: program))' "
          + "(Debian, Ubuntu), then 'nftrace lab' again.")
      return nil
    }
    try shell(remedy)
    _ = try ask(fault.arguments, isBrief: true)
    return nil
  }

  /// Pings, and returns the remedy if there is one.
  private func ask(_ arguments: [String], isBrief: Bool = false) throws -> String? {
    let words = (isBrief ? ["-q"] : []) + arguments + Self.ping
    try show(command: "nftrace ping \(words.joined(separator: " "))", prompt: "$")
    try Output.show("")
    return try Output.$rowsTaken.withValue(Self.rowsAround) {
      try Ping.parse(words).send(isAll: false).remedy
    }
  }

  private func shell(_ line: String) throws {
    try show(command: line, prompt: "#")
    let code = try ChildProcess.run(["sh", "-c", line])
    if code != 0 { throw UsageError("'\(line)' failed with exit code \(code)") }
  }

  /// The package of Debian that has a program.
  private static func package(of program: String) -> String {
    ["nft": "nftables", "ip": "iproute2", "sysctl": "procps"][program] ?? program
  }

  private func has(_ program: String) throws -> Bool {
    try ChildProcess.run(["sh", "-c", "command -v \(program) >/dev/null"]) == 0
  }

  private func clientAsks() throws {
    let header = UDPHeader(sourcePort: 5353, destinationPort: 53)
    let packet = Packet(
      source: Self.client, destination: Self.server, proto: .udp, ttl: 64, tos: 0,
      identification: 1, dontFragment: true, transport: .udp(header),
      payload: Array("which way?".utf8))
    try TunDevice("tun0").write(packet.bytes)
  }

  /// Waits until who watches wants to see more; returns the signal that came instead, if one did.
  private func pause(_ what: String) -> Int32? {
    guard isWatched else { return nil }
    // From here on a signal ends the wait, and not the lab before it is removed.
    let loop = Loop()
    loop.watch([STDIN_FILENO])
    try? Output.show("\n[Enter] \(what)   [Ctrl-C] end")
    while true {
      switch loop.wait(nanoseconds: 60_000_000_000) {
      case .signal: return loop.signal() ?? SIGINT
      case .readable:
        _ = readLine()
        return nil
      case .timeout: continue
      }
    }
  }
}
