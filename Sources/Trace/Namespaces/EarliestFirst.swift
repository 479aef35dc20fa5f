/// Numbers in the order of times: the earliest first, and of one time the lowest number. A heap.
package struct EarliestFirst: Sendable {
  private var heap: [(time: UInt64, number: Int)] = []

  /// An order of nothing.
  package init() {}

  /// The number that is first; nil where there is none.
  package var first: Int? { heap.first?.number }

  /// Puts a number in at this time, in nanoseconds.
  package mutating func insert(_ number: Int, at time: UInt64) {
    heap.append((time, number))
    var place = heap.count - 1
    while place > 0, isBefore(place, (place - 1) / 2) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  /// Takes the first one out.
  package mutating func removeFirst() {
    let last = heap.removeLast()
    if heap.isEmpty { return }
    heap[0] = last
    settle()
  }

  /// Puts the first one to this time instead.
  package mutating func moveFirst(to time: UInt64) {
    heap[0].time = time
    settle()
  }

  private func isBefore(_ one: Int, _ other: Int) -> Bool {
    (heap[one].time, heap[one].number) < (heap[other].time, heap[other].number)
  }

  /// Brings the first one to where it belongs.
  private mutating func settle() {
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && isBefore(child, least)
      {
        least = child
      }
      if least == place { return }
      heap.swapAt(place, least)
      place = least
    }
  }
}
