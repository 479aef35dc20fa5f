/// What is wanted of a probe beyond what was seen of it.
package enum ProbeInterest: Sendable {
  /// Nothing: it came to what it was to come to.
  case nothing
  /// Why it came to that: the kernel is asked.
  case cause
  /// That, and what helps, as it is tried in copies.
  case remedy
}
