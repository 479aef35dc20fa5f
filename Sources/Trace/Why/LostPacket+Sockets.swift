internal import Wire

extension LostPacket {
  /// The sockets at the packet's port that take what comes for its address by its interface. A cause
  /// that looks at them needs `.host(.sockets)`.
  var listeners: [HostSocket] { sockets.filter { $0.takes(packet, by: inIndex) } }

  /// The sockets at the packet's port that take something else.
  var nearListeners: [HostSocket] {
    sockets.filter { !$0.takes(packet, by: inIndex) }
  }

  private var sockets: [HostSocket] {
    (host(.sockets).sockets ?? []).filter {
      $0.proto == packet.proto && $0.port == packet.destinationPort
    }
  }

  private var inIndex: UInt32? { snapshot.link(last.inDevice)?.index }

  /// The kernel's reason for dropping the packet after it was delivered.
  var socketReason: String? { journey.socketDrop?.reason }

  /// That reason as evidence.
  var socketReasonEvidence: [Evidence] {
    socketReason.map { [.dropReason($0, place: journey.socketDrop?.location)] } ?? []
  }

  /// A socket as evidence.
  func evidence(_ socket: HostSocket) -> Evidence {
    .socket(socket, device: socket.device.flatMap { snapshot.name($0) })
  }

  /// "TCP port 80".
  func portName(_ port: UInt16) -> String {
    "\(packet.proto.description.uppercased()) port \(port)"
  }
}
