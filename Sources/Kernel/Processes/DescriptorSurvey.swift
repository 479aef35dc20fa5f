internal import CNetfilter
internal import Glibc
internal import Trace
internal import Wire

/// Whose descriptors are what: which programs have sockets and TUN devices open, as far as /proc tells.
///
/// To look into other processes takes CAP_SYS_PTRACE mostly, which is given up before a probe is sent: a
/// `Deputy` keeps it.
struct DescriptorSurvey: Sendable {
  /// The owners of sockets by their inodes.
  private(set) var sockets: [UInt32: Owner] = [:]
  /// The owners of TUN devices by their names.
  private(set) var devices: [String: Owner] = [:]
  /// The names of XDP programs by their numbers.
  private(set) var programs: [UInt32: String] = [:]

  /// Descriptors that are looked at, at most: some ten milliseconds. A machine may have a million.
  private static let most = 20_000

  /// A process that has something open.
  struct Owner: Sendable {
    /// The name of its program, as ps(1) shows it.
    var program: String
    /// Its control group, from the root of their tree; nil for the root itself.
    var group: String?

    fileprivate init?(_ process: Int) {
      guard let program = DescriptorSurvey.program(process) else { return nil }
      self.program = program
      let groups = (try? Files.text("/proc/\(process)/cgroup")) ?? ""
      // The line of the one tree there is: "0::/system.slice/shop.service".
      let line = groups.split(separator: "\n").first { $0.hasPrefix("0::/") }
      group = line.map { String($0.dropFirst(3)) }.flatMap { $0 == "/" ? nil : $0 }
    }
  }

  /// What is to be found now, in the network namespace of the calling thread first.
  static func now() -> DescriptorSurvey {
    var survey = DescriptorSurvey()
    survey.look()
    return survey
  }

  private mutating func look() {
    let home = Files.destination(ofLink: "/proc/thread-self/ns/net")
    let processes = Files.names(in: "/proc").compactMap { Int($0) }.sorted()
    let here = Set(
      processes.filter { Files.destination(ofLink: "/proc/\($0)/ns/net") == home })
    var left = Self.most
    for process in processes.filter(here.contains) + processes.filter({ !here.contains($0) })
    where left > 0 { look(at: process, &left) }
    guard var routes = try? RouteSocket(), let links = try? routes.links() else { return }
    for number in links.compactMap(\.xdpProgram) {
      programs[number] = ProgramNames.name(of: number)
    }
  }

  private mutating func look(at process: Int, _ left: inout Int) {
    let folder = "/proc/\(process)/fd"
    var owner: Owner?
    for name in Files.names(in: folder) {
      left -= 1
      guard let link = Files.destination(ofLink: "\(folder)/\(name)") else { continue }
      let inode = Self.socket(link)
      guard inode != nil || link.hasSuffix("/net/tun") else { continue }
      owner = owner ?? Owner(process)
      if let inode {
        sockets[inode] = sockets[inode] ?? owner
      } else if let info = try? Files.text("/proc/\(process)/fdinfo/\(name)"),
        let device = TunUser.device(inInfo: info)
      {
        devices[device] = devices[device] ?? owner
      }
    }
  }

  /// "socket:[4711]" in numbers.
  static func socket(_ link: String) -> UInt32? {
    guard link.hasPrefix("socket:["), link.hasSuffix("]") else { return nil }
    return UInt32(link.dropFirst(8).dropLast())
  }

  /// The name of a process's program.
  static func program(_ process: Int) -> String? {
    (try? Files.text("/proc/\(process)/comm")).map { String($0.prefix { $0 != "\n" }) }
  }
}

// MARK: As the deputy says it

extension DescriptorSurvey {
  /// All of it: owners by what they have open.
  var json: JSONValue {
    .object([
      ("sockets", .object(sockets.map { ("\($0.key)", $0.value.json) })),
      ("devices", .object(devices.map { ($0.key, $0.value.json) })),
      ("programs", .object(programs.map { ("\($0.key)", .string($0.value)) })),
    ])
  }

  /// What `json` is of; nil for anything else.
  init?(json: JSONValue) {
    guard case .object(let members) = json else { return nil }
    for case (let name, .object(let entries)) in members {
      for (key, value) in entries {
        switch (name, UInt32(key), Owner(json: value), value) {
        case ("sockets", let inode?, let owner?, _): sockets[inode] = owner
        case ("devices", _, let owner?, _): devices[key] = owner
        case ("programs", let number?, _, .string(let program)): programs[number] = program
        default: return nil
        }
      }
    }
  }
}

extension DescriptorSurvey.Owner {
  fileprivate var json: JSONValue { .array([.string(program), .string(group)]) }

  fileprivate init?(json: JSONValue) {
    guard case .array(let values) = json, values.count == 2, case .string(let program) = values[0]
    else { return nil }
    self.program = program
    if case .string(let group) = values[1] { self.group = group }
  }
}
