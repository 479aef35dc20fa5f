/// Keeps a recording to a size: it has a file that is written and the one before it, each half of
/// the limit at most. When the first is full it takes the place of the second, which goes.
package struct RecordingBounds: Sendable, Equatable {
  /// Largest size of the two together, in octets.
  package let limit: Int
  /// What the file has so far, its beginning included.
  package private(set) var current = DroppedRecords()
  /// What the file before it has.
  package private(set) var previous: DroppedRecords
  /// What was thrown away.
  package private(set) var dropped = DroppedRecords()
  /// Octets with which the file begins: those that explain the rest.
  private var beginning = 0

  /// A recording about to begin; `previous` is what is there from before.
  package init(limit: Int, previous: DroppedRecords = DroppedRecords()) {
    self.limit = limit
    self.previous = previous
  }

  /// The file begins with this many octets.
  package mutating func begin(octets: Int) {
    beginning = octets
    current = DroppedRecords(records: 0, octets: octets)
  }

  /// A record of this many octets was added.
  package mutating func add(octets: Int) {
    current.records += 1
    current.octets += octets
  }

  /// Whether another file is to begin. Where the beginning alone is more than half of the limit, a
  /// file still has as much again: else each would have nothing but its beginning.
  package var isFull: Bool { current.octets > max(limit / 2, 2 * beginning) }

  /// The file takes the place of the one before it.
  package mutating func rotate() {
    dropped.records += previous.records
    dropped.octets += previous.octets
    previous = current
    current = DroppedRecords()
  }
}
