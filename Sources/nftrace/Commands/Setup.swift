import App
import ArgumentParser
import Kernel
import Trace
import Wire

struct Setup: ParsableCommand {
  static let configuration = CommandConfiguration(
    _superCommandName: Nftrace.name,
    abstract: "Watch all traffic of subnets, and record it.",
    discussion: """
      Installs rules that report every packet from or to the subnets at every hook of netfilter, in \
      tables of nftrace's own (nftrace_setup, in the families inet and netdev); the tables of \
      others are not touched. A recorder in the background writes what is reported to a session \
      file, which 'nftrace show' renders. It follows changes of the ruleset, and keeps the file to \
      a size by dropping what is oldest. What earlier setups recorded is kept: 'nftrace recordings' \
      lists and removes it.

      Everything stays until 'nftrace teardown'; 'nftrace status' lists it. Given again, the same \
      arguments change nothing, and other subnets are added. If anything cannot be done, nothing is; \
      with several --netns, in none of them.
      """)

  @Argument(
    help: ArgumentHelp(
      "What to watch: ADDRESS/LENGTH or an address, IPv4 or IPv6.", valueName: "subnet"))
  var subnets: [String]

  @Option(
    help: ArgumentHelp(
      """
      Where the rules report to: nflog, an NFLOG group that the recorder reads; or log, lines of \
      the kernel log for dmesg, without a recorder. Default: nflog.
      """, valueName: "nflog|log"))
  var backend: SetupBackend?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The NFLOG group, 0 to 65535. Default: a free one.", valueName: "n"))
  var group: Int?

  @Option(
    help: ArgumentHelp(
      """
      A TUN device through which packets come in. If there is none of this name it is made, and \
      removed by teardown.
      """, valueName: "name"), completion: .interfaces)
  var tun: String?

  @Option(
    help: ArgumentHelp(
      """
      An address of the TUN device that is made; may be given once for IPv4 and once for IPv6. \
      Default: 192.168.69.100/24 and fd00:69::100/64, as the subnets need. Without --tun the \
      device is called nftrace0.
      """, valueName: "cidr"))
  var tunAddress: [String] = []

  @Flag(help: "Masquerade what comes from the TUN device's subnet.")
  var masquerade = false

  @Flag(help: "Switch on forwarding, for the IP versions of the subnets.")
  var forward = false

  @Flag(
    name: .customLong("own-ssh"),
    help: "Watch the SSH connection that this is typed through as well, which is left out else.")
  var ownSSH = false

  @Flag(help: "Start no recorder; 'nftrace record FILE' is one in the foreground.")
  var noRecord = false

  @Option(help: RecordCommand.metricsHelp, completion: .file())
  var metrics: String?

  @OptionGroup var limit: RecordingLimit

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    try RecordCommand.check(metrics: metrics)
    if metrics != nil {
      if noRecord || backend == .log {
        throw ValidationError(
          "--metrics is for the recorder, and with \(noRecord ? "--no-record" : "--backend log") there is none"
        )
      }
      if shared.namespaces.count > 1 {
        throw ValidationError(
          "--metrics is one file, of one network namespace: not with several --netns")
      }
    }
    guard !subnets.isEmpty else {
      throw ValidationError("setup needs a subnet to watch, such as 192.168.69.0/24")
    }
    for text in subnets where Prefix(text) == nil {
      let isHere = shared.namespaces.isEmpty
      if let hint = SubnetHint.words(text, isHere: isHere) { throw ValidationError(hint) }
    }
    _ = try Self.parse(subnets: subnets)
    if let group, !(0...65535).contains(group) {
      throw ValidationError("--group is 0 to 65535, not \(group)")
    }
    if backend == .log {
      if group != nil { throw ValidationError("--group is for the backend nflog, not for log") }
    }
    var versions: Set<Int> = []
    for text in tunAddress {
      let prefix = try Ping.tunAddress(text)
      guard versions.insert(prefix.address.family).inserted else {
        throw ValidationError("--tun-address is given twice for IPv\(prefix.address.family)")
      }
    }
    if let tun, let fault = TunDevice.fault(inName: tun) {
      throw ValidationError("--tun '\(tun)': \(fault)")
    }
  }

  static func parse(subnets texts: [String]) throws -> Subnets {
    do {
      return try Subnets(parsing: texts)
    } catch {
      throw ValidationError(error.message)
    }
  }

  func run() throws {
    let spaces = try shared.chosenNamespaces()
    var request = SetupRequest(
      subnets: try Self.parse(subnets: subnets), backend: backend,
      group: group.map { UInt16($0) }, tun: tun, tunAddresses: tunAddress.compactMap { Prefix($0) },
      masquerade: masquerade, forward: forward, record: !noRecord, limit: limit.octets,
      options: shared.output)
    request.metrics = try metrics.map { try OutputFile.realPath($0) }
    request.includesOwn = ownSSH
    request.leftOut = ownSSH ? nil : OwnTerminal.connection
    try StateDirectory.make()
    // The third for namespaces, and what a lab that died left of them.
    try Privileges.keep(
      RuleListing.rights.union([.network, .system, .bounding]), writing: [StateDirectory.path])
    if spaces.count == 1 { try spaces[0].enter() }
    let lock = try SetupFiles.lock()
    // From here on a Ctrl-C is looked at when there is time for it.
    try SetupRun.run(request, in: spaces, LiveSetupHost(loop: Loop()))
    _ = lock
  }
}
