internal import Trace
internal import Wire

// What bridges and their ports are set to.
extension CopiedInterfaces {
  /// `IFLA_BR_…` that say what a bridge does; the others are what it has come to. Nobody speaks spanning tree in
  /// a copy: what it has made of the ports they are given.
  private static let bridgeSettings: Set<UInt16> = [6, 7, 8, 9, 22, 23, 25, 36, 37, 38, 39]
  /// `IFLA_BRPORT_…` of the same kind.
  private static let portSettings: Set<UInt16> = [
    2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 25, 27, 28, 30, 31, 32, 33, 39,
  ]
  /// `IFLA_BRPORT_STATE`.
  private static let portState: UInt16 = 1

  /// What its kind is, with these settings.
  static func info(_ link: Link, _ data: [NetlinkAttribute]) -> NetlinkAttribute {
    NetlinkAttribute(
      Attribute.linkInfo,
      nested: [
        NetlinkAttribute(Attribute.infoKind, string: link.message.kind ?? ""),
        NetlinkAttribute(Attribute.infoData, nested: data),
      ])
  }

  static func data(_ link: Link) -> [NetlinkAttribute] {
    let info = (try? link.attributes[type: Attribute.linkInfo]?.nested()) ?? []
    return (try? info[type: Attribute.infoData]?.nested()) ?? []
  }

  /// What a bridge is set to, each by itself.
  static func settings(of link: Link) -> [NetlinkMessage] {
    guard link.message.kind == "bridge" else { return [] }
    return data(link).filter { bridgeSettings.contains($0.type) }.map {
      LinkMessage.setting(info(link, [$0]), of: link.message.index)
    }
  }

  static func portSettings(of link: Link) -> NetlinkMessage? {
    let info = (try? link.attributes[type: Attribute.linkInfo]?.nested()) ?? []
    guard info[type: Attribute.infoPortKind]?.string == "bridge",
      let data = (try? info[type: Attribute.infoPortData]?.nested()) ?? nil
    else { return nil }
    return setting(port: link, data.filter { portSettings.contains($0.type) })
  }

  private static func setting(port link: Link, _ data: [NetlinkAttribute]) -> NetlinkMessage {
    LinkMessage.setting(
      NetlinkAttribute(
        Attribute.linkInfo,
        nested: [
          NetlinkAttribute(Attribute.infoPortKind, string: "bridge"),
          NetlinkAttribute(Attribute.infoPortData, nested: data),
        ]), of: link.message.index)
  }

  /// Messages that give bridges the MTU that they have, where it is not that of the narrowest port, as a bridge takes by itself.
  var widths: [NetlinkMessage] {
    links.map(\.message).filter { $0.kind == "bridge" }.compactMap { bridge in
      let ports = links.map(\.message).filter { $0.master == bridge.index }
      guard let own = bridge.mtu, let narrowest = ports.compactMap(\.mtu).min(), own != narrowest
      else { return nil }
      return LinkMessage.setting(mtu: own, of: bridge.index)
    }
  }

  /// Messages that have ports do for their bridges what spanning tree, or somebody, lets them do, once they carry packets.
  var portStates: [NetlinkMessage] {
    links.compactMap { link in
      guard let state = link.message.portState, state != .forwarding,
        link.message.flags.isSuperset(of: [.up, .lowerUp])
      else { return nil }
      return Self.setting(port: link, [NetlinkAttribute(Self.portState, [state.rawValue])])
    }
  }
}
