internal import Glibc
internal import Trace
internal import Wire

// Addresses and neighbours.
extension CopiedInterfaces {
  /// Gives them their addresses, without routes of their own: these are copied as well.
  func addAddresses() throws(KernelError) {
    var routes = try RouteSocket()
    let down = Set(links.map(\.message).filter { !$0.flags.contains(.up) }.map(\.index))
    for message in addresses {
      guard
        let attributes = try? NetlinkAttribute.all(in: message.payload, from: 8),
        message.payload.count >= 8
      else { continue }
      // IFA_CACHEINFO is 6, IFA_FLAGS 8: IFA_F_NOPREFIXROUTE, and of those it has IFA_F_SECONDARY is the kernel's. Of
      // what is down the routes come when somebody sets it up.
      let address = try? AddressMessage(parsing: message)
      let isDown = address.map { down.contains($0.interface) } ?? false
      let prefixRoute: UInt32 = isDown ? (address?.flags ?? 0) & 0x200 : 0x200
      let flags: UInt32 = prefixRoute | 0x02
      let kept = attributes.filter { ![6, 8].contains($0.type) }
      let isV6 = message.payload[0] == UInt8(AF_INET6)
      let payload =
        Array(message.payload[..<2]) + [0] + Array(message.payload[3..<8])
        + (kept + [NetlinkAttribute(8, host: isV6 ? flags : prefixRoute)]).bytes
      let copy = NetlinkMessage(type: RouteMessageType.newAddress, payload: payload)
      // lo has its own already.
      try? routes.request(copy, flags: .create, attempt: "add an address")
    }
  }

  /// Has them know the neighbours that the original knows, for good.
  func addNeighbours() throws(KernelError) {
    var routes = try RouteSocket()
    // NUD_INCOMPLETE, NUD_FAILED and NUD_NOARP are no neighbour's.
    let silent: UInt16 = 0x01 | 0x20 | 0x40
    let permanent: UInt16 = 0x80
    for message in neighbours where message.payload.count >= 12 {
      var payload = message.payload
      let isBridge = payload[0] == UInt8(AF_BRIDGE)
      let state = UInt16(payload[8]) | UInt16(payload[9]) << 8
      // Of a bridge's entries those of its ports themselves are there already.
      if isBridge ? state & permanent != 0 && payload[10] & 0x02 == 0 : state & silent != 0 {
        continue
      }
      let kept: [UInt16] = isBridge ? [2, 5, 9] : [1, 2]
      guard let attributes = try? NetlinkAttribute.all(in: payload, from: 12) else { continue }
      payload[8] = isBridge ? 0x40 : UInt8(permanent)
      payload[9] = 0
      if isBridge { payload[10] = payload[10] & ~0x10 | 0x04 }
      let copy = NetlinkMessage(
        type: RouteMessageType.newNeighbour,
        payload: Array(payload[..<12]) + attributes.filter { kept.contains($0.type) }.bytes)
      try? routes.request(copy, flags: [.create, .replace], attempt: "add a neighbour")
    }
    for message in proxied {
      let copy = NetlinkMessage(type: RouteMessageType.newNeighbour, payload: message.payload)
      try? routes.request(copy, flags: [.create, .replace], attempt: "add a proxied neighbour")
    }
  }
}
