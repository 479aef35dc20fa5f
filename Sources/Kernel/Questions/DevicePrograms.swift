internal import CNetfilter
internal import Glibc
internal import Trace
internal import Wire

/// What looks at packets at an interface, outside of netfilter.
enum DevicePrograms {
  /// Filters that give packets to other interfaces.
  static func redirects(of devices: [String], _ routes: inout RouteSocket) -> [FilterRedirect] {
    let qdiscs = ((try? routes.qdiscs()) ?? []).filter { ["clsact", "ingress"].contains($0.kind) }
    if qdiscs.isEmpty { return [] }
    let links = (try? routes.links()) ?? []
    let names = Dictionary(links.map { ($0.index, $0.name) }, uniquingKeysWith: { $1 })
    var found: [FilterRedirect] = []
    for link in links where devices.contains(link.name) {
      guard qdiscs.contains(where: { $0.interface == link.index }) else { continue }
      for parent in [FilterMessage.ingress, FilterMessage.egress] {
        let now = Clock.realtime
        for filter in (try? routes.filters(of: link.index, parent: parent)) ?? [] {
          guard let redirect = filter.redirect, let target = names[redirect.interface] else {
            continue
          }
          found.append(
            FilterRedirect(
              device: link.name, isEgress: parent == FilterMessage.egress, kind: filter.kind,
              preference: filter.preference, target: target,
              lastUse: now.earlier(by: redirect.idle.multiplied(clamped: 10_000_000))))
        }
      }
    }
    return found
  }

  static func list(
    of devices: [String], _ descriptors: OpenDescriptors, _ routes: inout RouteSocket
  ) -> [DeviceProgram] {
    guard let links = try? routes.links() else { return [] }
    let qdiscs = (try? routes.qdiscs()) ?? []
    var found: [DeviceProgram] = []
    for device in devices {
      guard let link = links.first(where: { $0.name == device }) else { continue }
      if let program = link.xdpProgram {
        found.append(
          DeviceProgram(
            device: device, place: .xdp,
            name: descriptors.survey.programs[program] ?? "id \(program)"))
      }
      for qdisc in qdiscs where qdisc.interface == link.index {
        guard ["clsact", "ingress"].contains(qdisc.kind) else {
          found.append(DeviceProgram(device: device, place: .qdisc, name: qdisc.kind))
          continue
        }
        for (parent, place) in [
          (FilterMessage.ingress, DeviceProgram.Place.tcIngress), (FilterMessage.egress, .tcEgress),
        ] {
          let filters = (try? routes.filters(of: link.index, parent: parent)) ?? []
          var names: [String] = []
          for filter in filters where !names.contains(filter.name) { names.append(filter.name) }
          found += names.map { DeviceProgram(device: device, place: place, name: $0) }
        }
      }
    }
    return found
  }
}
