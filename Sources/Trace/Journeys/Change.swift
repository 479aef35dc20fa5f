/// A header field that is not what it was one hop before.
public struct Change: Sendable, Equatable {
  /// Which field.
  public var field: Field
  /// Its value one hop before.
  public var from: String
  /// Its value here.
  public var to: String
  /// Who changed it.
  public var cause: Cause

  /// Fields whose changes are followed; the raw value is the name in JSON.
  public enum Field: String, Sendable {
    case ttl, source, destination
    case sourcePort = "source_port"
    case destinationPort = "destination_port"
    case icmpID = "icmp_id"
    case tos, mark, length
  }

  /// Who changed it; the raw value is the name in JSON.
  public enum Cause: String, Sendable {
    case forwarding, masquerade, snat, dnat, redirect, mangle, unknown
    case natReply = "nat-reply"
  }

  /// A change of one field.
  public init(_ field: Field, from: String, to: String, cause: Cause) {
    self.field = field
    self.from = from
    self.to = to
    self.cause = cause
  }
}
