/// The hops among the steps of a way: a view, which copies none of them.
package struct Hops: RandomAccessCollection, Sendable {
  private let steps: [Step]
  private let seenAt: [Int]

  /// The steps at these places, each of which is one of being seen.
  init(steps: [Step], seenAt: [Int]) {
    self.steps = steps
    self.seenAt = seenAt
  }

  /// The place of the first: 0.
  package var startIndex: Int { 0 }
  /// How many there are.
  package var endIndex: Int { seenAt.count }

  /// The hop at this place, from 0.
  package subscript(index: Int) -> Hop {
    guard case .seen(let hop) = steps[seenAt[index]] else {
      preconditionFailure("not a step of being seen")
    }
    return hop
  }
}
