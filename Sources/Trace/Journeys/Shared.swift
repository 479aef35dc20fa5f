/// A large value behind one reference: copies share it until one of them is changed.
///
/// What is handed on for each packet is to cost one reference, whatever there is in it.
struct Shared<Value: Sendable>: Sendable {
  /// One element. What is in it is looked at through a span: the array's own subscript would make a copy of all.
  private var element: [Value]

  init(_ value: Value) { element = [value] }

  var value: Value {
    _read { yield element.span[0] }
    _modify { yield &element[0] }
  }
}

extension Shared: Equatable where Value: Equatable {}
