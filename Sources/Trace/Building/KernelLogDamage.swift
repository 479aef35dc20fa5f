/// A line of nftrace's that could not be read.
package struct KernelLogDamage: Sendable, Equatable {
  /// Its number in the file, from 1.
  package var line: Int
  /// What is wrong with it, in words for a person.
  package var reason: String
}
