/// What a network namespace is called.
struct NamespaceName {
  /// What `--netns` takes for it; nil if it is gone.
  var call: String?
  /// For people.
  var text: String
}
