internal import Glibc
internal import Kernel
internal import Trace

/// What there is of nftrace on the whole machine: in every network namespace that can be found, and
/// what is left of those that cannot.
package struct StatusAll {
  /// A namespace, and what is in it.
  struct Space {
    var found: NamespaceSurvey.Found
    var findings: StatusFindings?
    /// Why it could not be looked into.
    var problem: String?

    /// Whether there is anything to say about it.
    var hasAny: Bool {
      guard let findings else { return false }
      return findings.setup != nil || !findings.orphans.isEmpty || !findings.hidden.isEmpty
    }
  }

  /// A setup that is written down, and whose namespace is not to be found.
  struct Lost {
    var key: String
    var setup: SetupState?
    var recorder: RecorderState?
    /// Whether it is known to be gone: else somebody may hold it whom nobody sees.
    var isGone: Bool
  }

  /// The kernel's release.
  let release: String
  var spaces: [Space] = []
  var lost: [Lost] = []
  /// Recorders in the background that belong to no setup, and what they write.
  var recorders: [(process: Int32, session: String)] = []
  /// Journals of commands that are over and did not take back what they changed.
  var journals: [String] = []
  /// What could not be looked at.
  var hidden: [String] = []

  /// Looks into every namespace.
  package static func collect(_ kernel: any StatusKernel) -> StatusAll {
    var all = StatusAll(release: kernel.release)
    let survey = kernel.survey()
    var keys: Set<String> = []
    for found in survey.found {
      var space = Space(found: found)
      do {
        let namespace = ChosenNamespace(nil, try kernel.open(found))
        try namespace.within {
          try Leftovers.here()?.say(isNeeded: false)
          space.findings = try StatusFindings.collect(kernel, withRequirements: false)
          keys.insert(try kernel.place().key)
        }
      } catch {
        space.problem = "\(error)".split(separator: "\n").joined(separator: "; ")
        keys.insert("\(found.identity.inode)-")
      }
      all.spaces.append(space)
    }
    all.hidden = survey.broken.map { "\($0.name): \($0.reason)" }
    if survey.hiddenProcesses > 0 {
      let count = survey.hiddenProcesses
      let root = geteuid() == 0 ? "" : ": run as root (sudo)"
      all.hidden.append(
        "\(count) \(count == 1 ? "process" : "processes") could not be looked at, and "
          + "\(count == 1 ? "its network namespace" : "their network namespaces") may be missing"
          + root)
    }
    if StateFile.isReadable(StateDirectory.path) {
      do {
        try all.lookAtFiles(kernel, except: keys)
      } catch {
        all.hidden.append("\(error)".split(separator: "\n").joined(separator: "; "))
      }
    } else {
      all.hidden.append("\(StateDirectory.path) may only be read by root: run as root (sudo)")
    }
    return all
  }

  private mutating func lookAtFiles(
    _ kernel: any StatusKernel, except keys: Set<String>
  ) throws(KernelError) {
    var sessions = Set(try RecordingFiles.writers().map(\.session))
    for key in try SetupFiles.keys() {
      let files = try SetupFiles.files(ofKey: key)
      let inode = key.prefix { $0 != "-" }
      if keys.contains(key) || keys.contains("\(inode)-") { continue }
      lost.append(
        Lost(
          key: key, setup: files.setup, recorder: files.recorder,
          isGone: try SetupFiles.isGone(files)))
    }
    for running in kernel.programs(called: RulesetWatch.program) {
      let words = running.arguments
      guard words.count > 2, words[1] == "record", words.contains("--background") else { continue }
      if sessions.insert(words[2]).inserted { recorders.append((running.process, words[2])) }
    }
    journals = try StateFile.names(in: StateDirectory.path).filter { name in
      let words = name.split(separator: "-")
      guard words.count == 3, words[0] == "journal", let process = Int32(words[1]) else {
        return false
      }
      return !kernel.isAlive(process)
    }
  }
}
