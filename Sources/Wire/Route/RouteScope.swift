/// How far an address or a route reaches (`rtm_scope`, `ifa_scope`).
package struct RouteScope: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The number on the wire.
  package var rawValue: UInt8
  /// The value with this number.
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `RT_SCOPE_UNIVERSE`.
  package static let universe = RouteScope(rawValue: 0)
  /// `RT_SCOPE_SITE`.
  package static let site = RouteScope(rawValue: 200)
  /// `RT_SCOPE_LINK`.
  package static let link = RouteScope(rawValue: 253)
  /// `RT_SCOPE_HOST`.
  package static let host = RouteScope(rawValue: 254)
  /// `RT_SCOPE_NOWHERE`.
  package static let nowhere = RouteScope(rawValue: 255)

  /// The name ip(8) prints, or the number.
  package var description: String {
    switch self {
    case .universe: "global"
    case .site: "site"
    case .link: "link"
    case .host: "host"
    case .nowhere: "nowhere"
    default: "\(rawValue)"
    }
  }
}
