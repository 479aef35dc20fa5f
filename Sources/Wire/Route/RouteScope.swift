/// How far an address or a route reaches (`rtm_scope`, `ifa_scope`).
public struct RouteScope: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The number on the wire.
  public var rawValue: UInt8
  /// The value with this number.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `RT_SCOPE_UNIVERSE`.
  public static let universe = RouteScope(rawValue: 0)
  /// `RT_SCOPE_SITE`.
  public static let site = RouteScope(rawValue: 200)
  /// `RT_SCOPE_LINK`.
  public static let link = RouteScope(rawValue: 253)
  /// `RT_SCOPE_HOST`.
  public static let host = RouteScope(rawValue: 254)
  /// `RT_SCOPE_NOWHERE`.
  public static let nowhere = RouteScope(rawValue: 255)

  /// The name ip(8) prints, or the number.
  public var description: String {
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
