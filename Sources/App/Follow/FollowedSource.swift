package import Kernel
internal import Trace

/// What is followed, and what says that it is over.
package struct FollowedSource {
  let traffic: any FollowedTraffic
  let space: ChosenNamespace?
  /// What it is, in words for the user.
  let words: String
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
    words = path
    end = { nil }
    files = [path]
  }

  /// A source of these parts.
  package init(
    _ traffic: any FollowedTraffic, _ words: String, in space: ChosenNamespace?,
    files: [String] = [],
    rights: Capabilities = [], end: @escaping () -> String?
  ) {
    self.traffic = traffic
    self.words = words
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
