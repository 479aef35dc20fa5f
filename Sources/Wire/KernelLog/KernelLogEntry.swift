/// What was logged, without what stands around it.
public struct KernelLogEntry: Sendable, Equatable {
  /// The number of its line in the file, from 1.
  public var line: Int
  /// Nanoseconds of some clock, the same for a whole file: since boot, if that is told, or else
  /// since the epoch. nil where no time is told, or none to the second.
  public var time: UInt64?
  /// Whether parts of a second are told.
  public var isExact: Bool
  /// The message.
  public var text: [UInt8]

  /// An entry of these fields.
  public init(line: Int, time: UInt64?, isExact: Bool, text: [UInt8]) {
    self.line = line
    self.time = time
    self.isExact = isExact
    self.text = text
  }
}
