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

  /// Finds out what programs have open, while there are the rights for that.
  func surveyPrograms() { try? space.within { investigator.surveyPrograms() } }

  func forgetPackets() { investigator.forgetPackets() }
}
