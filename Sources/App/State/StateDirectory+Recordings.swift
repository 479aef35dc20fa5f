internal import Kernel

extension StateDirectory {
  /// Those of the files of a recording that there are, the older first.
  package static func files(ofRecording path: String) -> [String] {
    [path + ".1", path].filter { FileIdentity($0) != nil }
  }

  /// What is shown of a file that somebody named: of a setup's recording, both files.
  package static func files(named path: String) -> [String] {
    let isRecording = path.hasPrefix(self.path + "/recording-") && path.hasSuffix(".pcapng")
    return isRecording && FileIdentity(path) != nil ? files(ofRecording: path) : [path]
  }
}
