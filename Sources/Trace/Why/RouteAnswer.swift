internal import Wire

/// What the kernel answered to a route lookup.
enum RouteAnswer: Sendable, Equatable {
  case route(RouteMessage)
  /// An errno is an answer, too.
  case refused(Int32)

  /// The route, if there is one.
  var route: RouteMessage? { if case .route(let route) = self { route } else { nil } }
  /// The errno, if it was refused.
  var errno: Int32? { if case .refused(let errno) = self { errno } else { nil } }
}
