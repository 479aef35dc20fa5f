/// What came of a probe where some changes were made, and what may be changed besides.
package protocol ChangeTrial {
  /// Whether it got through.
  var isThrough: Bool { get }
  /// What stopped it: the same text where it is the same.
  var obstacle: String { get }
  /// What may be otherwise, the narrowest change first.
  var candidates: [ChangeCandidate] { get }
  /// The one of them that is gone on with where none gets the probe through by itself; nil for the first that brings it to
  /// another obstacle.
  var likeliest: ChangeCandidate? { get }
}

/// Looks for changes with which a probe gets through: each is tried in a place of its own, the narrowest first. Where none does by
/// itself, one that brings the probe to another obstacle is kept, and what helps there is looked for.
package struct ChangeTrials<Trial: ChangeTrial> {
  /// A change, and what came of the probe with it and those before.
  package struct Step {
    /// The change.
    package let change: ChangeCandidate
    /// What came of it.
    package let trial: Trial
  }

  private let mostTried: Int
  private let mostTogether: Int
  /// How many places it took.
  package private(set) var count = 0
  /// Whether more might have been tried.
  package private(set) var isCut = false
  /// Whether every change that was wanted could be made, and none took the probe away from what stopped it first.
  package var isVain: Bool { count > 0 && !isCut && !hasMoved }
  /// Whether a change could not be made, or took the probe elsewhere.
  private var hasMoved = false

  /// Trials of at most so many changes, and of so many together.
  package init(mostTried: Int, mostTogether: Int) {
    self.mostTried = mostTried
    self.mostTogether = mostTogether
  }

  /// The changes with which the probe gets through; nil if none are found. `first` is what comes of it without any; `attempt`
  /// makes changes, and is nil where they cannot be made. After `isOver`, nothing more is tried.
  package mutating func run(
    from first: Trial, until isOver: () -> Bool = { false },
    _ attempt: ([ChangeCandidate]) throws -> Trial?
  ) rethrows -> [Step]? {
    var steps: [Step] = []
    var met = [first.obstacle]
    while steps.count < mostTogether {
      let current = steps.last?.trial ?? first
      let changes = steps.map(\.change)
      var further: [Step] = []
      for candidate in current.candidates where !changes.contains(candidate) {
        guard count < mostTried, !isOver() else {
          isCut = true
          return nil
        }
        count += 1
        guard let trial = try attempt(changes + [candidate]) else {
          hasMoved = true
          continue
        }
        if trial.obstacle != first.obstacle { hasMoved = true }
        let step = Step(change: candidate, trial: trial)
        if trial.isThrough { return steps + [step] }
        if !met.contains(trial.obstacle) { further.append(step) }
      }
      // It is stopped by something else then: that is on the way.
      guard let step = further.first(where: { $0.change == current.likeliest }) ?? further.first
      else { return nil }
      met.append(step.trial.obstacle)
      steps.append(step)
    }
    return nil
  }
}
