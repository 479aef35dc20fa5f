/// What a network namespace is called.
package struct NamespaceName {
  /// What `--netns` takes for it; nil if it is gone.
  package var call: String?
  /// For people.
  package var text: String
}
