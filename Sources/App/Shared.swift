/// Something that is not copied, for several to hold.
package final class Shared<Value: ~Copyable> {
  /// What they hold.
  package let value: Value

  /// Takes it over.
  package init(_ value: consuming Value) { self.value = value }
}
