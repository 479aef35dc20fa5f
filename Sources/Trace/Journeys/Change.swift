/// A header field that is not what it was one hop before.
package struct Change: Sendable, Equatable {
  /// Which field.
  package var field: Field
  /// Its value one hop before.
  package var from: String
  /// Its value here.
  package var to: String
  /// Who changed it.
  package var cause: Cause

  /// Fields whose changes are followed; the raw value is the name in JSON.
  package enum Field: String, Sendable {
    case ttl, source, destination
    case sourcePort = "source_port"
    case destinationPort = "destination_port"
    case icmpID = "icmp_id"
    case tos, mark, length
  }

  /// Who changed it; the raw value is the name in JSON.
  package enum Cause: String, Sendable {
    case forwarding, masquerade, snat, dnat, redirect, mangle, unknown
    case natReply = "nat-reply"
  }

  /// A change of one field.
  package init(_ field: Field, from: String, to: String, cause: Cause) {
    self.field = field
    self.from = from
    self.to = to
    self.cause = cause
  }
}
