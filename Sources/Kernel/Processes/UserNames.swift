internal import CNetfilter

/// Users of this machine, by their names.
package enum UserNames {
  /// The number of the user of this name, or of this number; nil if there is none of that name.
  package static func number(_ text: String) -> UInt32? {
    if let number = UInt32(text) { return number }
    // Sound: the name ends with a zero, which is as far as the call reads; the call is made once, by the
    // thread that reads the command line.
    let number = unsafe nftrace_user(text.nameForC)
    return number < 0 ? nil : UInt32(number)
  }
}
