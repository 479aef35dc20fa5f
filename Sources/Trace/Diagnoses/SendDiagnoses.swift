internal import Wire

/// Why this host would not send a packet of its own, where no hook saw it: routing comes before
/// OUTPUT, and says no with an errno.
enum SendDiagnoses {
  static func finding(
    _ errno: Int32, _ plan: ProbePlan?, _ environment: Environment
  ) -> Finding {
    let destination = plan?.destination ?? "the destination"
    let evidence = ["sending was refused: \(ErrorName.words(errno))"]
    let refusals: [Int32: (kind: RouteMessage.Kind, id: String, verb: String)] = [
      13: (.prohibit, "prohibit-route", "prohibits"),
      22: (.blackhole, "blackhole-route", "discards"),
      113: (.unreachable, "unreachable-route", "declares unreachable"),
    ]
    if let refusal = refusals[errno] {
      let address = plan.flatMap { IPAddress($0.destination) }
      let route = environment.routes.filter { route in
        route.kind == refusal.kind && address.map { route.destination.contains($0) } == true
      }.max { $0.destination.length < $1.destination.length }
      if let route {
        return .error(
          refusal.id,
          "the route to \(PolicyRouting.text(route.destination)) (table "
            + "\(PolicyRouting.name(ofTable: route.table))) \(refusal.verb) what goes there",
          evidence: ["ip route: \(PolicyRouting.text(route))"] + evidence,
          remedy: PolicyRouting.deletion(route))
      }
      return .error(
        refusal.id, "routing \(refusal.verb) packets for \(destination)", confidence: .likely,
        evidence: evidence)
    }
    switch errno {
    case 101: return .error("no-route", "there is no route to \(destination)", evidence: evidence)
    case 90:
      return .error(
        "fragmentation-needed",
        "it is larger than the interface's MTU, and --local does not fragment: choose a smaller --size",
        evidence: evidence)
    default:
      return .error(
        "lost-after", "this host did not send it: \(ErrorName.words(errno))", evidence: evidence)
    }
  }
}

/// The kernel's errors in words: asm-generic/errno.h, as the C library says them.
public enum ErrorName {
  private static let names: [Int32: String] = [
    1: "Operation not permitted (EPERM)", 13: "Permission denied (EACCES)",
    22: "Invalid argument (EINVAL)", 90: "Message too long (EMSGSIZE)",
    99: "Cannot assign requested address (EADDRNOTAVAIL)", 100: "Network is down (ENETDOWN)",
    101: "Network is unreachable (ENETUNREACH)", 105: "No buffer space available (ENOBUFS)",
    113: "No route to host (EHOSTUNREACH)",
  ]

  /// The error in words, with its name.
  public static func words(_ errno: Int32) -> String { names[errno] ?? "error \(errno)" }
}
