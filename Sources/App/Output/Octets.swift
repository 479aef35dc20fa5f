internal import Wire

/// Numbers of octets, in words.
package enum Octets {
  /// As people read them: "12 KiB", "3.4 MiB".
  package static func text(_ octets: Int) -> String {
    if octets < 1 << 20 { return "\(octets.adding(clamped: 1023) >> 10) KiB" }
    let tenths = octets.multiplied(clamped: 10) >> 20
    return "\(tenths / 10).\(tenths % 10) MiB"
  }
}
