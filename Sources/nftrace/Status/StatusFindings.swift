import App
import Kernel
import Trace

/// What there is to say about nftrace in a namespace.
struct StatusFindings {
  var kernel: String
  var requirements: [Requirement]
  /// nil if nothing is set up here, as far as can be seen.
  var setup: SetupState?
  var recorder: RecorderState?
  /// How the tables of the setup are.
  var tables: Condition
  /// Tables of nftrace's that belong to nobody who lives.
  var orphans: [(family: String, name: String)]
  /// The program that holds the setup's group.
  var holder: String?
  var tunIsThere: Bool
  var sessionOctets: Int
  /// What could not be looked at.
  var hidden: [String]
  /// Setups of other network namespaces.
  var elsewhere = 0

  enum Condition: String {
    /// As they should be.
    case installed
    /// Somebody removed them.
    case missing
    /// There are other base chains or devices now.
    case outdated
    /// They could not be looked at.
    case unknown
  }

  static func collect(withRequirements: Bool = true) throws(KernelError) -> StatusFindings {
    var findings = StatusFindings(
      kernel: Machine.kernelRelease, requirements: withRequirements ? Requirement.all() : [],
      setup: nil,
      recorder: nil, tables: .unknown, orphans: [], holder: nil, tunIsThere: false,
      sessionOctets: 0, hidden: [])
    if StateFile.isReadable(StateDirectory.path) {
      let setupFiles = try SetupFiles.current()
      findings.elsewhere = try SetupFiles.keys().count { $0 != setupFiles.namespace.key }
      if let secret = setupFiles.unreadable() {
        findings.hidden.append(secret)
      } else {
        findings.setup = try setupFiles.load()
        if let unknown = try setupFiles.unknownSetup() {
          findings.hidden.append("\(unknown): 'nftrace teardown' takes back what it made")
        }
        findings.recorder = try setupFiles.recorder()
      }
    } else {
      findings.hidden.append(
        "\(StateDirectory.path) may only be read by root: what is set up is not known")
    }
    findings.lookAtTables()
    findings.lookAround()
    return findings
  }

  private mutating func lookAtTables() {
    do {
      var rules = try RulesetReader()
      let own = try rules.tables().filter { OwnTable.isOne($0.name) }
      orphans = own.filter { isOrphan($0.name) }.map { (RulesetReader.family($0.family), $0.name) }
      if let setup {
        let surroundings = try SetupSurroundings.read()
        tables =
          surroundings.installed.isEmpty
          ? .missing : surroundings.areInOrder(for: setup) ? .installed : .outdated
      }
    } catch {
      hidden.append("\(error)".split(separator: "\n").joined(separator: "; "))
    }
  }

  /// A table is named after the process it belongs to, or is that of a setup.
  private func isOrphan(_ name: String) -> Bool {
    let table = OwnTable(name: name)
    if table == .setup { return setup == nil && hidden.isEmpty }
    return table?.process.flatMap { ProcessIdentity($0) }?.isAlive != true
  }

  private mutating func lookAround() {
    guard let setup else { return }
    if let group = setup.group { holder = LogGroups.holder(of: group) }
    if let tun = setup.tun, var routes = try? RouteSocket() {
      tunIsThere = (try? routes.link(tun.name)) != nil
    }
    let files = recorder.map { StateDirectory.files(ofRecording: $0.session) } ?? []
    sessionOctets = files.compactMap { FileIdentity($0)?.size }.reduce(0, +)
  }

  var members: [(String, JSONValue)] {
    [
      ("kernel", .string(kernel)),
      (
        "setup",
        setup.map { setup in
          .object(
            SetupJSON.members(setup, recorder) + [
              ("process_alive", .bool(ProcessIdentity(setup.process)?.isAlive == true)),
              ("state", .string(tables.rawValue)), ("group_holder", .string(holder)),
              ("session_octets", .int(sessionOctets)),
            ])
        } ?? .null
      ),
      (
        "orphans",
        .array(
          orphans.map {
            .object([("family", .string($0.family)), ("table", .string($0.name))])
          })
      ),
      (
        "features",
        .array(
          requirements.map {
            .object([
              ("name", .string($0.name)), ("purpose", .string($0.purpose)),
              ("available", $0.isThere.map { .bool($0) } ?? .null), ("help", .string($0.help)),
            ])
          })
      ),
      ("hidden", .array(hidden.map { .string($0) })),
    ]
  }
}
