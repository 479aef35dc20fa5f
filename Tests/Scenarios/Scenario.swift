/// One way to break (or to build differently) the standard topology, and what an honest tool must
/// say about a probe that is sent through it. `scenarios/README.md` says how one is written.
package struct Scenario: Sendable, CustomStringConvertible {
  /// With its family at the end; also the name of its recorded session.
  package var name: String
  package var family: Family
  package var nat: NAT = .nft
  /// Shell lines, run in the router as root; the first failure ends them.
  package var router = ""
  /// The same in the server, before those of the router.
  package var server = ""
  /// The way in, as `nftrace ping` is told it.
  package var entrance = ["--tun", "tun7"]
  /// Arguments of `nftrace ping` besides the way in, the timeout and the destination.
  package var arguments: [String] = []
  package var destination = "$DST"
  /// Seconds to wait for an answer.
  package var timeout = "0.3"
  /// Shell lines, run in the router while a setup records. What was recorded is judged then; no probe
  /// is sent.
  package var traffic: String?
  package var expected: Expectation
  /// Why it cannot be produced yet; it is listed and not run.
  package var pending: String?
  /// A shell condition, tried in the router: without it the kernel or the machine cannot do this.
  package var needs: String?
  /// The names of the recorded sessions in `fixtures/` that are made of it.
  package var fixtures: [String] = []
  /// The file and the line it begins in.
  package var place = ""

  package var description: String { name }

  /// The version of IP.
  package enum Family: String, Sendable, CaseIterable {
    case v4, v6
  }

  /// Who translates the source on the way out of the router.
  package enum NAT: String, Sendable, CaseIterable {
    case none, nft, iptables, legacy
  }
}
