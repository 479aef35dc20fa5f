import App
import Kernel
import Trace

/// An investigator, for several to hold.
final class KernelOracle: Oracle {
  private var investigator: Investigator
  /// Where programs are asked for the texts of rules.
  private let space: ChosenNamespace

  /// Opens the sockets it asks through, in the network namespace of the calling thread, which is `space`.
  init(in space: ChosenNamespace = ChosenNamespace()) throws(KernelError) {
    investigator = try Investigator()
    self.space = space
  }

  func answer(_ questions: [Question]) -> [Record] {
    (try? space.within { investigator.answer(questions) }) ?? []
  }

  func awaitNotifications() { investigator.awaitNotifications() }

  /// Starts, while there are the rights for that, who finds out what programs have open. `more` is what it takes to send
  /// a probe once more. Nil if that cannot be.
  func startDeputy(keeping more: Capabilities) -> Deputy? {
    let deputy = try? space.within { Deputy(keeping: more) }
    investigator.use(deputy ?? nil)
    return deputy ?? nil
  }

  func forgetPackets() { investigator.forgetPackets() }
}
