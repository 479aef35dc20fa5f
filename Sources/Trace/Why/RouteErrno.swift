/// Errnos of route lookups, and of sending, which looks up a route first.
enum RouteErrno {
  static let notPermitted: Int32 = 1  // EPERM
  static let noRoute: Int32 = 101  // ENETUNREACH
  static let prohibited: Int32 = 13  // EACCES
  static let unreachable: Int32 = 113  // EHOSTUNREACH
  static let invalid: Int32 = 22  // EINVAL
  static let crossDevice: Int32 = 18  // EXDEV
  static let tooLong: Int32 = 90  // EMSGSIZE
}
