/// Something that is not copied, for several to hold.
final class Shared<Value: ~Copyable> {
  let value: Value
  init(_ value: consuming Value) { self.value = value }
}
