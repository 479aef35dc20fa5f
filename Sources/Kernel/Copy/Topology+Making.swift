internal import Trace
internal import Wire

/// A topology, made in the network namespace of the calling thread.
extension Topology {
  /// What a router is set to. Where the file says otherwise, that holds.
  private static let usual = [
    ("net.ipv4.ip_forward", "1"), ("net.ipv6.conf.all.forwarding", "1"),
    ("net.ipv4.conf.all.rp_filter", "1"), ("net.ipv4.conf.default.rp_filter", "1"),
    ("net.ipv4.conf.all.send_redirects", "0"), ("net.ipv4.conf.default.send_redirects", "0"),
  ]

  /// Where a setting is, of a name with dots or slashes as sysctl(8) takes it.
  private static func path(_ name: String) -> String {
    if name.contains("/") { return name }
    return String(name.map { $0 == "." ? "/" : $0 })
  }

  /// Gives settings their values: before interfaces are up.
  func makeSettings() throws(KernelError) {
    for (name, value) in Self.usual { try? Sysctl(path: Self.path(name))?.write(value) }
    // Whoever asks for a neighbour asks from an address of the link's own.
    for interface in interfaces {
      try? Sysctl.interface(interface.name, family: 6, "addr_gen_mode")?.write("0")
    }
    for setting in settings {
      let attempt = "make the topology, line \(setting.line)"
      guard let sysctl = Sysctl(path: Self.path(setting.name)), sysctl.exists else {
        throw KernelError(
          .usage, cannot: attempt,
          help: "there is no sysctl \(setting.name) in a network namespace here")
      }
      do {
        try sysctl.write(setting.value)
      } catch {
        throw KernelError(
          .usage, cannot: attempt, help: "\(setting.name) does not take '\(setting.value)'")
      }
    }
  }

  /// Gives the interfaces their addresses, then routes, rules and neighbours, by ip(8).
  func makeAddresses() throws(KernelError) {
    var socket = try RouteSocket()
    for interface in interfaces {
      for prefix in interface.addresses {
        do {
          try socket.add(prefix, to: interface.name)
        } catch {
          throw KernelError(
            .usage, cannot: "make the topology, line \(interface.line)",
            help:
              "\(interface.name) does not take \(prefix): \(error.help ?? KernelError.message(error.errno))"
          )
        }
      }
    }
    for (kind, lines) in [("route", routes), ("rule", rules), ("neigh", neighbours)] {
      for line in lines { try Self.add(kind, line) }
    }
  }

  private static func add(_ kind: String, _ line: Line) throws(KernelError) {
    let words = line.text.split(separator: " ").map(String.init)
    // What an address is of the other version of, ip has to be told where no address says it.
    let version = words.contains { $0.contains(":") } ? ["-6"] : []
    let (code, output) = try ChildProcess.run(["ip"] + version + [kind, "add"] + words)
    guard code == 0 else {
      let why = output.split(separator: "\n").first ?? "it failed"
      throw KernelError(
        .usage, cannot: "make the topology, line \(line.line)",
        help: "'ip \(kind) add \(line.text)' says: \(why)")
    }
  }
}
