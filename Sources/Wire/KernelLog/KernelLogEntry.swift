/// What was logged, without what stands around it.
package struct KernelLogEntry: Sendable, Equatable {
  /// The number of its line in the file, from 1.
  package var line: Int
  /// Nanoseconds of some clock, the same for a whole file: since boot, if that is told, or else
  /// since the epoch. nil where no time is told, or none to the second.
  package var time: UInt64?
  /// Whether parts of a second are told.
  package var isExact: Bool
  /// The message.
  package var text: [UInt8]

  /// An entry of these fields.
  package init(line: Int, time: UInt64?, isExact: Bool, text: [UInt8]) {
    self.line = line
    self.time = time
    self.isExact = isExact
    self.text = text
  }
}
