internal import CNetfilter

/// A process that has a TUN device open.
struct TunUser: Equatable {
  let process: Int
  /// The name of its program, as ps(1) shows it.
  let command: String
  /// Whether it is in the network namespace of the calling thread.
  let isHere: Bool

  /// The processes that have the device of this name open. The kernel writes the name into
  /// /proc/PID/fdinfo/FD; devices of this name in other namespaces are looked past if one in this
  /// namespace was found.
  static func all(of name: String) -> [TunUser] {
    let home = Files.destination(ofLink: "/proc/thread-self/ns/net")
    var users: [TunUser] = []
    for process in Files.names(in: "/proc").compactMap({ Int($0) }).sorted() {
      guard holds(process, name) else { continue }
      let command = (try? Files.text("/proc/\(process)/comm")) ?? "?"
      users.append(
        TunUser(
          process: process, command: String(command.prefix { $0 != "\n" }),
          isHere: Files.destination(ofLink: "/proc/\(process)/ns/net") == home))
    }
    let here = users.filter(\.isHere)
    return here.isEmpty ? users : here
  }

  private static func holds(_ process: Int, _ name: String) -> Bool {
    Files.names(in: "/proc/\(process)/fd").contains { number in
      guard
        Files.destination(ofLink: "/proc/\(process)/fd/\(number)")?.hasSuffix("/net/tun") == true,
        let info = try? Files.text("/proc/\(process)/fdinfo/\(number)")
      else { return false }
      return Self.device(inInfo: info) == name
    }
  }

  /// The interface in the text of an fdinfo file: its line "iff:", a tab and the name.
  static func device(inInfo text: String) -> String? {
    for line in text.split(separator: "\n") where line.hasPrefix("iff:") {
      return String(line.dropFirst(4).drop { $0 == "\t" || $0 == " " })
    }
    return nil
  }
}
