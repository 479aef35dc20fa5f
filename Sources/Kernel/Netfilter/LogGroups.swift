/// Who listens on which NFLOG group, from /proc/thread-self/net/netfilter/nfnetlink_log.
package enum LogGroups {
  /// The groups held in this namespace and the netlink port that holds each.
  package static func held() -> [UInt16: UInt32] {
    guard let text = try? Files.text("/proc/thread-self/net/netfilter/nfnetlink_log") else {
      return [:]
    }
    var held: [UInt16: UInt32] = [:]
    for line in text.split(separator: "\n") {
      let columns = line.split(separator: " ")
      guard columns.count >= 2, let group = UInt16(columns[0]), let port = UInt32(columns[1]) else {
        continue
      }
      held[group] = port
    }
    return held
  }

  /// A group that nobody holds at the moment, above those that people choose.
  package static func free() -> UInt16 {
    let held = held()
    let first = UInt16.random(in: 0xf000...0xff00)
    return (first...0xfffe).first { held[$0] == nil } ?? first
  }

  /// The program that holds a group, as "ulogd (pid 812)". A netlink port is mostly its pid.
  package static func holder(of group: UInt16) -> String? {
    guard let port = held()[group] else { return nil }
    guard let name = try? Files.text("/proc/\(port)/comm") else { return "netlink port \(port)" }
    return "\(name.split(separator: "\n").first ?? "a program") (pid \(port))"
  }
}
