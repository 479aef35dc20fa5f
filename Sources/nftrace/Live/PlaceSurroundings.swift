import Kernel
import Trace
import Wire

/// What there is in the network namespace of the calling thread, besides rules that are known, which questions may be about.
struct PlaceSurroundings {
  /// The rules that are in force.
  let ruleset: RulesetCoverage

  /// Questions at the edges of what the rules here speak of.
  func guesses() throws -> [FirewallTest] {
    var routes = try RouteSocket()
    let addresses = try routes.addresses()
    let ways = try routes.routes().filter { $0.destination.length == 0 }.map(\.outputInterface)
    let links = try routes.links().filter {
      !$0.flags.contains(.loopback) && $0.flags.contains(.up)
    }
    return Guesses(
      links.filter { link in link.master == nil || addresses.contains { $0.interface == link.index }
      }
      .map { link in
        Guesses.Interface(
          name: link.name,
          addresses: addresses.filter {
            $0.interface == link.index && !$0.local.address.isLinkLocal
          }
          .map(\.local),
          isUplink: ways.contains(link.index))
      }
    ).questions(about: ruleset.rules, sets: LoadedRuleset.sets())
  }

  /// What might be otherwise around a probe that was lost.
  func changes(around result: ProbeResult) throws -> [ChangeCandidate] {
    var routes = try RouteSocket()
    var settings: [String: String] = [:]
    let request = result.exchange.request
    let version = request?.packet.source.family ?? 4
    for (name, _) in ChangeSearch.settings(version: version, input: request?.inDevice) {
      settings[name] = try? Sysctl(path: name)?.read()
    }
    let search = ChangeSearch(
      ruleset: ruleset, iptables: try LoadedRuleset.iptablesTables(), sets: LoadedRuleset.sets(),
      settings: settings, policyRules: try routes.rules(),
      downInterfaces: try routes.links().filter { !$0.flags.contains(.up) }.map(\.name))
    return search.candidates(for: result)
  }

  /// What might be otherwise where nothing can be asked: the interface is down by which somebody would.
  func changes(for origin: FirewallTest.Origin) throws -> [ChangeCandidate] {
    guard case .behind(let name, _) = origin else { return [] }
    var routes = try RouteSocket()
    let isDown = try routes.links().contains { $0.name == name && !$0.flags.contains(.up) }
    return isDown ? [ChangeCandidate(raising: name)].compactMap { $0 } : []
  }
}
