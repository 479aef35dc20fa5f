internal import Wire

extension LostPacket {
  /// Whether the source is one of this host's addresses.
  var isFromHere: Bool { snapshot.isLocal(packet.source) }

  /// Whether its destination lies beyond this host's own side: others do not know the private
  /// addresses here. A neighbour, or whom this host itself translates to within, should know them.
  var isBoundOutside: Bool {
    let destination = packet.destination
    let subnet = snapshot.address(of: outDevice, version: version)?.network
    let isNeighbour = subnet?.contains(destination) == true
    if destinationChange != nil { return !destination.isPrivate && !isNeighbour }
    return !destination.isPrivate || !isNeighbour
  }
}
