package import Trace

/// Who answers what is still to be known of a packet: `Investigator`.
package protocol Oracle: AnyObject {
  /// The answers; what cannot be found out is left out.
  func answer(_ questions: [Question]) -> [Record]
  /// Waits until every change of the ruleset is told of that an answer so far can have in it.
  func awaitNotifications()
  /// What is asked from now on is about packets that are still to come.
  func forgetPackets()
}
