internal import Kernel
internal import Trace

extension FollowedSource {
  /// The setup of a namespace, which is the calling thread's: from its recording if it is recorded,
  /// else its log group is taken. `otherwise` is what else can be done where there is no setup.
  package init(
    setupIn space: ChosenNamespace, _ host: any ShowHost, otherwise: String = ", or name a FILE"
  ) throws {
    let setupFiles = SetupFiles(namespace: try host.place())
    guard let setup = try setupFiles.load() else {
      throw UsageError(
        "nothing is set up in this network namespace: 'nftrace setup SUBNET' first" + otherwise)
    }
    guard setup.group != nil else {
      throw UsageError(
        "the setup here writes to the kernel log: 'nftrace show --follow --backend log' follows it")
    }
    let words = setup.subnets.joined(separator: ", ")
    if let recorder = try setupFiles.recorder(), recorder.living != nil {
      let setupEnd = Self.end(of: setupFiles, in: space)
      self.init(
        try FollowedFile(recorder.session), words, in: space,
        files: [recorder.session, StateDirectory.path]
      ) {
        // A recorder that is over writes no more; that of a setup that is made again would.
        setupEnd() ?? ((try? setupFiles.recorder()) ?? nil)?.reason.map { "the recorder \($0)" }
      }
    } else {
      self.init(
        try host.traffic(of: setup, in: space), words, in: space, files: [StateDirectory.path],
        rights: RuleListing.rights.union(.network), end: Self.end(of: setupFiles, in: space))
    }
  }

  /// What the setup of a namespace, which is the calling thread's, writes into the kernel log.
  package init(kernelLogOf space: ChosenNamespace, _ host: any ShowHost) throws {
    let setupFiles = SetupFiles(namespace: try host.place())
    self.init(
      try LoggedTraffic(KernelLogPlayback.setup(setupFiles), host), "the kernel log", in: space,
      files: [StateDirectory.path], end: Self.end(of: setupFiles, in: space))
  }
}
