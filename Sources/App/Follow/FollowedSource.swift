package import Kernel
internal import Trace

/// What is followed, and what says that it is over.
package struct FollowedSource {
  let traffic: any FollowedTraffic
  let space: ChosenNamespace?
  /// Why there is no more to come; nil while there may be.
  package let end: () -> String?
  /// What reading it takes when it is open.
  package var rights: Capabilities = []
  /// What is opened again and again meanwhile.
  private(set) var files: [String] = []

  /// The file that somebody named, which has no end.
  package init(file path: String) throws {
    traffic = try FollowedFile(path)
    space = nil
    end = { nil }
    files = [path]
  }

  /// The setup of a namespace, which is the calling thread's: from its recording if it is recorded,
  /// else its log group is taken.
  package init(setupIn space: ChosenNamespace) throws {
    let setupFiles = try SetupFiles.current()
    guard let setup = try setupFiles.load() else {
      throw UsageError(
        "nothing is set up in this network namespace: 'nftrace setup SUBNET' first, or name a FILE")
    }
    guard setup.group != nil else {
      throw UsageError(
        "the setup here writes to the kernel log: 'nftrace show --follow --backend log' follows it")
    }
    if let recorder = try setupFiles.recorder(), recorder.living != nil {
      traffic = try FollowedFile(recorder.session)
      files = [recorder.session]
      let setupEnd = Self.end(of: setupFiles, in: space)
      // A recorder that is over writes no more; that of a setup that is made again would.
      end = {
        setupEnd() ?? ((try? setupFiles.recorder()) ?? nil)?.reason.map { "the recorder \($0)" }
      }
    } else {
      traffic = try LiveTraffic(setup, in: space)
      rights = LegacyTables.rights.union(.network)
      end = Self.end(of: setupFiles, in: space)
    }
    files.append(StateDirectory.path)
    self.space = space
  }

  /// A source of these parts.
  package init(
    _ traffic: any FollowedTraffic, in space: ChosenNamespace?, files: [String] = [],
    rights: Capabilities = [], end: @escaping () -> String?
  ) {
    self.traffic = traffic
    self.space = space
    self.files = files
    self.rights = rights
    self.end = end
  }

  /// What says that the setup of a namespace is over, and why.
  package static func end(of setupFiles: SetupFiles, in space: ChosenNamespace) -> () -> String? {
    {
      if space.isGone { return "the network namespace is gone" }
      // What cannot be looked at now is looked at again.
      return (try? setupFiles.load()) == .some(nil) ? "the setup was torn down" : nil
    }
  }
}
