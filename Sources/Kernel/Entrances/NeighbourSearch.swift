internal import CNetfilter
internal import Glibc
package import Wire

/// Asks who has an address, as a host behind a bridge's port would: the question arrives on the port, the bridge
/// takes it to the others, and who answers is seen as the answer leaves by the port. Or as this host does, out of
/// an interface. Nobody notes anything of the asker; the bridge learns where the answer came from, as ever.
package struct NeighbourSearch: ~Copyable {
  private let socket: FileDescriptor

  /// How long is waited for an answer, in nanoseconds.
  private static let patience: UInt64 = 300_000_000
  private static let longestFrame = 2048

  /// Listens at the port of the injector. Throws with words for what helps.
  package init(at injector: borrowing FrameInjector) throws(KernelError) {
    try self.init(on: injector.index, called: injector.name)
  }

  /// Listens at the interface of this index and name. Throws with words for what helps.
  package init(on interface: UInt32, called name: String) throws(KernelError) {
    let number = nftrace_packet_socket(interface)
    guard number >= 0 else {
      let code = errno
      throw KernelError(
        cannot: "listen at \(name)", function: "socket", errno: code,
        help: RefusalAdvice.help(for: code, "CAP_NET_RAW", "packet sockets"))
    }
    socket = FileDescriptor(owning: number)
  }

  /// The link-layer address of who has `address`; nil if nobody answers.
  package borrowing func find(
    _ address: IPAddress, as asker: HardwareAddress, through injector: borrowing FrameInjector
  ) throws(KernelError) -> HardwareAddress? {
    let question = NeighbourQuestion(searching: address, as: asker)
    try injector.inject(question.frame)
    return answer(to: question)
  }

  /// The same, asked out of the interface by this host, whose link-layer address there is `asker`; nil also where
  /// the question cannot be sent. `own` is this host's address on that link.
  package borrowing func find(
    _ address: IPAddress, as asker: HardwareAddress, at own: IPAddress?
  ) -> HardwareAddress? {
    let question = NeighbourQuestion(searching: address, as: asker, at: own)
    let frame = question.frame
    // Sound: the call reads as many octets as the array has.
    guard unsafe send(socket.number, frame, frame.count, Int32(MSG_DONTWAIT)) == frame.count
    else { return nil }
    return answer(to: question)
  }

  private borrowing func answer(to question: NeighbourQuestion) -> HardwareAddress? {
    let end = Clock.monotonic + Self.patience
    while Clock.monotonic < end {
      Loop.wait(for: socket.number, nanoseconds: end - min(end, Clock.monotonic))
      while let frame = read() {
        if let answer = question.answer(in: frame) { return answer }
      }
    }
    return nil
  }

  private borrowing func read() -> [UInt8]? {
    var frame = [UInt8](repeating: 0, count: Self.longestFrame)
    // Sound: the call fills at most the octets that the array has.
    let count = unsafe recv(socket.number, &frame, frame.count, Int32(MSG_DONTWAIT))
    return count > 0 ? Array(frame[..<count]) : nil
  }
}
