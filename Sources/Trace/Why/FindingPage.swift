/// What a person may want to know of a kind of finding: its page in docs/findings is made of this.
package struct FindingPage: Sendable {
  /// The id.
  package let id: FindingID
  /// What has happened, in a few words.
  package let title: String
  /// What it means.
  package let meaning: String
  /// When it is certain, likely or possible.
  package let certainty: String
  /// What it is concluded from.
  package let conclusion: String
  /// What to do about it.
  package let advice: String
  /// What the kernel is asked for it. `Registry` knows.
  package internal(set) var needs: [Need] = []

  init(
    _ id: FindingID, _ title: String, meaning: String, certainty: String, conclusion: String,
    advice: String
  ) {
    self.id = id
    self.title = title
    self.meaning = meaning
    self.certainty = certainty
    self.conclusion = conclusion
    self.advice = advice
  }
}
