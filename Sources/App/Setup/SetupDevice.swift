internal import Kernel
internal import Report
package import Trace
internal import Wire

/// The TUN device of a setup, and what is to be masqueraded of it.
package struct SetupDevice {
  private let request: SetupRequest
  private let kernel: any SetupKernel

  init(_ request: SetupRequest, _ kernel: any SetupKernel) {
    self.request = request
    self.kernel = kernel
  }

  /// Makes the device that was asked for, or finds it, and takes it down in `state`.
  package func provide(
    _ state: inout SetupState, _ provision: any SetupChanges, _ report: inout SetupReport
  ) throws {
    let isAsked = request.tun != nil || !request.tunAddresses.isEmpty
    if let tun = state.tun {
      if isAsked { try refuseAnother(than: tun) }
      // Somebody removed it, or the command that made it was killed.
      if tun.isOurs, try !isThere(tun.name) {
        state.tun = try device(
          tun.name, tun.addresses.compactMap { Prefix($0) }, provision, &report)
      }
    } else if isAsked {
      state.tun = try device(
        request.tun ?? "nftrace0", request.tunAddresses, provision, &report)
    }
    guard request.masquerade else { return }
    guard let tun = state.tun else {
      throw UsageError("--masquerade is for the subnet of a TUN device: name it with --tun")
    }
    let subnets = tun.addresses.compactMap { Prefix($0)?.network.description }
    guard !subnets.isEmpty else {
      throw UsageError("\(tun.name) has no address, and so no subnet to masquerade")
    }
    if state.masquerade != subnets {
      report.done.append("masquerading \(subnets.joined(separator: ", "))")
    }
    state.masquerade = subnets
  }

  private func refuseAnother(than tun: SetupState.Tun) throws {
    if let name = request.tun, name != tun.name {
      throw UsageError("the setup here has the TUN device \(tun.name), not \(name)")
    }
    for address in request.tunAddresses where !tun.addresses.contains("\(address)") {
      throw UsageError(
        "the TUN device \(tun.name) of the setup here has \(tun.addresses.joined(separator: ", ")),"
          + " not \(address)")
    }
  }

  private func isThere(_ name: String) throws(KernelError) -> Bool {
    try kernel.link(name) != nil
  }

  private func device(
    _ name: String, _ wanted: [Prefix], _ provision: any SetupChanges,
    _ report: inout SetupReport
  ) throws -> SetupState.Tun {
    if let link = try kernel.link(name) { return try existing(link) }
    var addresses = wanted
    if addresses.isEmpty {
      addresses = request.subnets.versions.sorted().map {
        Prefix($0 == 4 ? "192.168.69.100/24" : "fd00:69::100/64")!
      }
    }
    for address in addresses { try refuseCollisions(address) }
    let made = try provision.createTun(name)
    for address in addresses { try kernel.add(address, to: made) }
    try kernel.raise(made)
    let texts = addresses.map(\.description)
    report.done.append("made the TUN device \(made), \(texts.joined(separator: ", "))")
    return SetupState.Tun(name: made, isOurs: true, addresses: texts)
  }

  /// A device of the user's stays as it is.
  private func existing(
    _ link: LinkMessage
  ) throws -> SetupState.Tun {
    guard link.kind == "tun", link.tun?.isTap != true else {
      throw UsageError("\(link.name) is no TUN device: give another name with --tun")
    }
    let addresses = try kernel.addresses().filter {
      $0.interface == link.index && !$0.local.address.isLinkLocal
    }.map(\.local.description)
    for address in request.tunAddresses where !addresses.contains("\(address)") {
      throw UsageError(
        "\(link.name) exists and has not the address \(address): leave --tun-address out, or add it"
          + Command.advice(about: link.name) { "ip addr add \(address) dev \($0)" })
    }
    if !link.flags.contains(.up) {
      Output.complain(
        StyledLine(
          "\(link.name) is down, so nothing comes in through it"
            + Command.advice(about: link.name) { "ip link set dev \($0) up" }))
    }
    return SetupState.Tun(name: link.name, isOurs: false, addresses: addresses)
  }

  /// The device takes over its subnet: nobody else here may have a part in it.
  private func refuseCollisions(_ address: Prefix) throws {
    let subnet = address.network
    let way = "choose another subnet with --tun-address"
    for other in try kernel.addresses() where subnet.overlaps(other.local.network) {
      throw UsageError(
        "the TUN device's subnet \(subnet) collides with this host's address \(other.local): \(way)"
      )
    }
    for route in try kernel.routes()
    where route.destination.length > 0 && !route.destination.address.isMulticast
      && route.destination.overlaps(subnet)
    {
      throw UsageError(
        "the TUN device's subnet \(subnet) collides with the route to \(route.destination): \(way)")
    }
  }
}
