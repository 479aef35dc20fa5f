/// A scenario could not be built.
package struct ScenarioFailure: Error, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}
