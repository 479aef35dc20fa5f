internal import Kernel
internal import Report
internal import Trace

/// Whether this host is one of the routers that `ping --ioam` shows, and how it becomes one.
struct RouterTracingFacts {
  private let tracing: RouterTracing?

  /// Of what the kernel says.
  init(_ tracing: RouterTracing?) { self.tracing = tracing }

  func statement(isTold: Bool) -> Statement {
    Statement("ioam", value, .lines(isTold ? words : []))
  }

  private var value: JSONValue {
    guard let tracing else { return .null }
    return .object([
      ("on", .bool(tracing.isOn)), ("node", .int(tracing.node)),
      (
        "interfaces",
        .array(
          tracing.interfaces.map {
            .object([("name", .string($0.name)), ("id", .int($0.id))])
          })
      ),
      ("namespaces", tracing.namespaces.map { .array($0.map { .int(Int($0)) }) } ?? .null),
    ])
  }

  private var words: [StyledLine] {
    guard let tracing else {
      return [
        "",
        "'ping --ioam' does not show this host as a router: the kernel has no CONFIG_IPV6_IOAM6",
      ]
    }
    let by = tracing.interfaces.map { interface in
      Escape.name(interface.name) + (interface.id.map { " (number \($0))" } ?? "")
    }.joined(separator: ", ")
    let node = tracing.node.map { "node \($0)" } ?? "a node of no number"
    if tracing.isOn {
      let names = tracing.namespaces?.map { "\($0)" }.joined(separator: ", ") ?? "?"
      return [
        "", "'ping --ioam' shows this host as a router: \(node), for what comes in by \(by),",
        "in the namespace \(names) of IOAM",
      ]
    }
    let device = tracing.interfaces.first.map { Escape.name($0.name) } ?? "eth0"
    var missing: [String] = []
    if tracing.interfaces.isEmpty {
      missing.append(
        "sysctl -w net/ipv6/conf/\(device)/ioam6_enabled=1 net/ipv6/conf/\(device)/ioam6_id=1")
    }
    if tracing.node == nil { missing.append("sysctl -w net/ipv6/ioam6_id=1") }
    if tracing.namespaces?.isEmpty != false { missing.append("ip ioam namespace add 0") }
    let unknown = tracing.namespaces == nil
    let lead =
      unknown && !tracing.interfaces.isEmpty
      ? "Whether 'ping --ioam' shows this host as a router takes CAP_NET_ADMIN to know. What it takes:"
      : "'ping --ioam' does not show this host as a router. To have it do so, by each interface:"
    return ["", StyledLine(lead)] + missing.map { "  " + StyledLine($0, .command) }
  }
}
