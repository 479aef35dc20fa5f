import Foundation

/// The members of a JSON object, as text without spaces, whatever their order.
struct JSONMembers {
  private let object: [String: Any]

  /// Of the object in this text. Throws where it is none.
  init(_ text: String) throws {
    guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    else { throw CocoaError(.propertyListReadCorrupt) }
    self.object = object
  }

  /// The member at this path, its keys parted by dots, and numbers for those of arrays; nil if there is none.
  subscript(path: String) -> String? {
    var value: Any? = object
    for key in path.split(separator: ".") {
      if let list = value as? [Any] {
        value = Int(key).flatMap { list.indices.contains($0) ? list[$0] : nil }
      } else {
        value = (value as? [String: Any])?[String(key)]
      }
    }
    guard let value else { return nil }
    let options: JSONSerialization.WritingOptions = [
      .fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes,
    ]
    return (try? JSONSerialization.data(withJSONObject: value, options: options)).map {
      String(decoding: $0, as: UTF8.self)
    }
  }
}
