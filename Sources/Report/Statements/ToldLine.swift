/// A line that people are told.
package enum ToldLine: Sendable, Equatable {
  /// One of the results.
  case result(StyledLine)
  /// Said beside them.
  case remark(StyledLine)
}
