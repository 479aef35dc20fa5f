package import Kernel
package import Trace
package import Wire

/// What a setup takes of the kernel, in the network namespace of the calling thread.
package protocol SetupKernel: TableInstaller {
  /// Who sets up, and where.
  var origin: SetupOrigin { get throws(KernelError) }
  /// Moments in nanoseconds: since the epoch, and since some moment in the past.
  var loop: any EventLoop { get }
  /// What the tables have to fit into.
  func surroundings() throws(KernelError) -> SetupSurroundings
  /// Tries whether an NFLOG group can be had.
  func takeGroup(_ group: UInt16) throws(KernelError)
  /// A group that nobody holds.
  func freeGroup() -> UInt16
  /// Removes the setup's tables, if they are there.
  func removeTables() throws(KernelError)
  /// The interface of this name; nil if there is none.
  func link(_ name: String) throws(KernelError) -> LinkMessage?
  /// The addresses of all interfaces.
  func addresses() throws(KernelError) -> [AddressMessage]
  /// The routes of all tables.
  func routes() throws(KernelError) -> [RouteMessage]
  /// Gives an interface an address.
  func add(_ address: Prefix, to device: String) throws(KernelError)
  /// Sets an interface up.
  func raise(_ device: String) throws(KernelError)
  /// Whether there is such a setting.
  func exists(_ setting: Sysctl) -> Bool
  /// Who makes the changes that the kernel would not take back. Its journal has this name while it is
  /// written.
  func provision(draft: String) -> any SetupChanges
  /// Takes back what a journal that was kept has.
  func undo(journal: String) throws(KernelError)
  /// Starts this program with these arguments as a recorder, whose complaints go to the file `log`.
  func startRecorder(_ arguments: [String], log: String) throws(KernelError) -> any StartedRecorder
  /// Ends a recorder, after so many nanoseconds by force.
  func stop(_ recorder: RecorderState, patience: UInt64)
}

/// Who sets up, and where.
package struct SetupOrigin: Sendable {
  /// The process.
  package var process: Int32
  /// What it was started with.
  package var command: [String]
  /// Which boot of the machine it is.
  package var boot: String
  /// What the network namespace is called, if it has a name.
  package var netns: String?

  /// An origin of these values.
  package init(process: Int32, command: [String], boot: String, netns: String?) {
    self.process = process
    self.command = command
    self.boot = boot
    self.netns = netns
  }
}

/// Changes that stay, written down before they are made.
package protocol SetupChanges: AnyObject {
  /// Sets a sysctl. Returns whether it had another value.
  func set(_ setting: Sysctl, to value: String) throws(KernelError) -> Bool
  /// Makes a TUN device. Returns its name.
  func createTun(_ name: String) throws(KernelError) -> String
  /// What was changed stays until teardown. Returns the name of the journal; nil if nothing was changed.
  func keep() throws(KernelError) -> String?
  /// Takes everything back.
  func undo() throws(KernelError)
}

/// A recorder that was started in the background: `BackgroundProcess`.
package protocol StartedRecorder: AnyObject {
  /// Readable when it has said something, or ended.
  var descriptor: Int32 { get }
  /// What it says of itself, "" if it ended without a word: nil when it is ready. Waits for either.
  func failure() -> String?
  /// Ends it.
  func stop(patience: UInt64)
}

/// What is written down of setups: `SetupFiles`.
package protocol SetupStore: RecorderStore {
  /// The session file of the recorder in the background.
  var recording: String { get }
  /// What that recorder said on standard error.
  var log: String { get }
  /// The name of a journal that is being written; without the ending it is finished.
  func draft(_ number: Int) -> String
  /// Takes back what commands that were killed left half done, and forgets setups that are gone.
  func clearStale() throws(KernelError) -> Leftovers
  /// What is left of a setup that is not known, in words for the user; nil if nothing is.
  func unknownSetup() throws(KernelError) -> String?
  /// The journals of setups that were made and not torn down, in order.
  func journals() throws(KernelError) -> [String]
  /// What the recorder wrote down last; nil if there was none.
  func recorder() throws(KernelError) -> RecorderState?
  /// Forgets the setup.
  func forget() throws(KernelError)
  /// Forgets what the recorder wrote down.
  func forgetRecorder() throws(KernelError)
}

extension SetupFiles: SetupStore {}
