import App
import ArgumentParser
import Kernel
import Trace
import Wire

struct Intercept: ParsableCommand {
  static let configuration = CommandConfiguration(
    _superCommandName: Nftrace.name,
    abstract: "Show, change, answer or drop this host's own packets to some subnets.",
    discussion: """
      Packets that this host sends to the subnets are routed into a TUN device, looked at, and given \
      back, so that they leave by the interface they would have left by. No other traffic is \
      touched; the default route only if 0.0.0.0/0 or ::/0 is a subnet. When the command ends, \
      however it ends, the traffic goes its own way again, within a second.

      What is chosen by --match and --list is changed by --set, dropped by --drop or answered by \
      --forge-echo; all else passes as it is. Without --match and --list everything is chosen. A \
      line is printed of what is chosen, with -v of all else as well. \
      Answers come back on their own way. Those to what --set dest sent elsewhere, and errors about \
      it, are changed at the end of INPUT: to who asked, they come from the address and port that \
      were asked (fragments of IPv6 do so only where conntrack is in use). \
      When somebody takes the device away or down, the command ends with exit code 3. With \
      --trace, the way of each packet through the hooks is told when it has come to an end: to the \
      device, back from it, out, and that of its answer; with --json as one object a packet and \
      line. A terminal shows at most 20 exchanges a second in full. Packets that come faster than their ways can be told wait for that; what is \
      untold when a signal ends it is counted.

      Good to know: the packets come back through the FORWARD hook, so a firewall that drops there \
      drops them. Rules of the nat table's OUTPUT do not see new connections meanwhile. A TTL of \
      255 leaves as 254. While this command is stopped (SIGSTOP), the packets to these subnets \
      wait, and when the device's queue is full are lost. While nobody reads its output, the lines \
      are left out and counted, and the packets go on.
      """)

  @Argument(
    help: ArgumentHelp(
      "Destinations to intercept: ADDRESS/LENGTH or an address.", valueName: "subnet"))
  var subnets: [String]

  @Flag(
    name: .customLong("print"), help: "Print a line for each chosen packet; so it is without -q.")
  var printing = false

  @Flag(name: .customShort("x"), help: "Print each packet's octets as well, in hexadecimal.")
  var hex = false

  @Flag(
    help: """
      Show the way of these packets through every hook as well, to the device and from it on, and \
      that of their answers.
      """)
  var trace = false

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Change a field: ttl=N, tos=N, dest=ADDR[:PORT] or source=ADDR. May be given several times.",
      valueName: "field=value"))
  var edits: [String] = []

  @Flag(help: "Answer ICMP and ICMPv6 echo requests in the destination's place.")
  var forgeEcho = false

  @Flag(help: "Drop the packets; what --forge-echo answers is answered all the same.")
  var drop = false

  @Option(
    name: .customLong("match"),
    help: ArgumentHelp(
      "Choose packets by destination: ADDR[/LENGTH]/tcp|udp|icmp/PORT, the end may be left out and "
        + "each part be *. May be given several times: one of them must match.",
      valueName: "addr/proto/port"))
  var matches: [String] = []

  @Option(
    help: ArgumentHelp(
      "Choose packets by the prefixes in this file, one a line, '!' before those that are excluded, "
        + "'#' before comments: the longest that has the destination decides.", valueName: "file"),
    completion: .file())
  var list: String?

  @Option(
    help: ArgumentHelp("Name for the TUN device. Default: nftrace0 or the next.", valueName: "name")
  )
  var tun: String?

  @Option(
    name: .shortAndLong, parsing: .unconditional,
    help: ArgumentHelp("End after so many packets that were chosen.", valueName: "n"))
  var count: Int?

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    if subnets.isEmpty {
      throw ValidationError("intercept needs a subnet, such as 203.0.113.0/24")
    }
    if let count, count < 1 { throw ValidationError("--count is 1 or more") }
    if drop, !edits.isEmpty {
      throw ValidationError("--drop and --set do not go together: what is dropped need not change")
    }
    if shared.quiet, printing || hex || trace {
      let other = trace ? "--trace" : hex ? "-x" : "--print"
      throw ValidationError("-q and \(other) do not go together")
    }
    _ = try parsedSubnets()
    _ = try parsedEdits()
    _ = try parsedMatches()
  }

  private func parsedSubnets() throws -> Subnets {
    let parsed: Subnets
    do { parsed = try Subnets(parsing: subnets) } catch { throw ValidationError(error.message) }
    for subnet in parsed.prefixes {
      let first = subnet.address
      guard subnet.length == 0 || !(first.isMulticast || first.isLoopback || first.isLinkLocal)
      else {
        throw ValidationError("packets to \(subnet) are never forwarded, so cannot be intercepted")
      }
      if let other = parsed.prefixes.first(where: { $0 != subnet && $0.overlaps(subnet) }) {
        throw ValidationError("\(subnet) and \(other) overlap: the wider one is enough")
      }
    }
    return parsed
  }

  private func parsedEdits() throws -> [PacketEdit] {
    let versions = try parsedSubnets().versions
    var parsed: [PacketEdit] = []
    for text in edits {
      let edit: PacketEdit
      do {
        edit = try PacketEdit(parsing: text)
      } catch {
        throw ValidationError("--set '\(text)': \(error.message)")
      }
      if let version = edit.version, !versions.contains(version) {
        throw ValidationError("--set '\(text)' is IPv\(version), and no subnet is")
      }
      if parsed.contains(where: { $0.contradicts(edit) }) {
        throw ValidationError("--set '\(text)': that field is set already")
      }
      parsed.append(edit)
    }
    return parsed
  }

  private func parsedMatches() throws -> [PacketMatch] {
    var parsed: [PacketMatch] = []
    for text in matches {
      do {
        parsed.append(try PacketMatch(parsing: text))
      } catch {
        throw ValidationError("--match '\(text)': \(error.message)")
      }
    }
    return parsed
  }

  func run() throws {
    let list = try list.map { try PrefixList(file: $0) }
    var request = InterceptRequest(try parsedSubnets(), options: shared.output)
    try shared.enterNamespace()
    try SharedOptions.takeBackLeftovers(isNeeded: true)
    request.list = list
    request.edits = try parsedEdits()
    request.matches = try parsedMatches()
    (request.drops, request.forgesEcho) = (drop, forgeEcho)
    (request.hex, request.traces) = (hex, trace)
    (request.tun, request.limit) = (tun, count)
    try StateDirectory.make()
    Output.exit(try InterceptSession(request, LiveIntercept()).run())
  }
}
