internal import Glibc

/// What is not in a copy of a network namespace as it is in the original: a verdict of the copy's is told with it.
package enum CopyDifference: Sendable, Equatable, CustomStringConvertible {
  /// An interface of a kind that is not made here: the copy has an Ethernet device in its place.
  case interface(String, kind: String)
  /// An interface with an XDP program, or with tc filters or a queueing discipline that the copy has not.
  case program(String)
  /// A flowtable: all packets of the copy go through the chains.
  case flowtable(String)
  /// Something that the kernel did not take.
  case refused(String, errno: Int32)
  /// A table whose handles are others in the copy, for they are too far apart.
  case handles(String)
  /// The ruleset changed while it was read.
  case rulesetChanges
  /// What rules that decide by a limit have counted: the kernel does not tell it.
  case limits
  /// Rules ask for the kind of an interface, and some are of other kinds.
  case kinds
  /// The tables of iptables-legacy could not be read.
  case legacyTable(String)
  /// Policies of IPsec.
  case security
  /// A bridge with several ports: who was not seen behind one of them is behind all.
  case ports(String)
  /// A setting that could not be given the same value.
  case setting(String)

  /// A sentence's part: "the flowtable f is missing".
  package var description: String {
    switch self {
    case .interface(let name, let kind): "\(name) is no \(kind) there, but an Ethernet device"
    case .program(let name): "what tc or XDP do at \(name) is missing"
    case .flowtable(let name): "the flowtable \(name) is missing"
    case .refused(let what, let errno): "the \(what) is missing (\(KernelError.message(errno)))"
    case .handles(let table): "the rules of table \(table) have other handles"
    case .rulesetChanges: "the ruleset changed while it was copied"
    case .limits: "limits begin anew"
    case .kinds:
      "rules ask of which kind an interface is, and TUN devices and tunnels are Ethernet there"
    case .legacyTable(let name): "the table \(name) of iptables-legacy is missing"
    case .security: "the policies of IPsec are missing"
    case .ports(let bridge):
      "who was not seen behind a port of \(bridge) is behind all of them"
    case .setting(let name): "\(name) is not the same"
    }
  }
}
