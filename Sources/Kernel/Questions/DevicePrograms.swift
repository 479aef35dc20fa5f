internal import CNetfilter
internal import Glibc
internal import Trace
internal import Wire

/// What looks at packets at an interface, outside of netfilter.
enum DevicePrograms {
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
