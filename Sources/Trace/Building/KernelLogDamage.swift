/// A line of nftrace's that could not be read.
public struct KernelLogDamage: Sendable, Equatable {
  /// Its number in the file, from 1.
  public var line: Int
  /// What is wrong with it, in words for a person.
  public var reason: String
}
