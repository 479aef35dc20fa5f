internal import CNetfilter
internal import Glibc
internal import Synchronization
package import Wire

/// Gives the kernel one packet, from a thread of its own. The kernel takes it through all its hooks
/// inside the system call; meanwhile the caller reads what is said about it, and so knows when.
package final class Injection: Sendable {
  /// The system call: returns its errno, or 0.
  private let send: @Sendable () -> Int32
  /// One of the states below while the thread runs, then what `send` returned.
  private let state = Atomic<Int32>(starting)

  private static let starting: Int32 = -1
  private static let ready: Int32 = -2
  private static let going: Int32 = -3
  private static let alone: Int32 = -4

  /// Prepares to write `packet` to a descriptor, which must stay open until `errno` is not nil.
  package convenience init(_ packet: [UInt8], to descriptor: Int32) {
    self.init {
      // Sound: the pointer and the count are those of one array.
      let count = unsafe packet.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      let failed = Glibc.errno
      return count == packet.count ? 0 : failed
    }
  }

  /// Prepares to let a frame arrive on an interface. The injector must live until `errno` is not nil,
  /// and says what that means. Throws for frames that are too long.
  package convenience init(
    frame: [UInt8], through injector: borrowing FrameInjector
  ) throws(KernelError) {
    try injector.check(length: frame.count)
    self.init(injector.injecting(frame))
  }

  /// Prepares to send a packet from this host; a datagram from its port, if that is held.
  package convenience init(
    _ packet: Packet, as octets: [UInt8], through sender: LocalSender, from port: HeldPort?
  ) {
    self.init(sender.sending(packet, as: octets, from: port))
  }

  /// Prepares what comes of this segment in a connection of this host's own: its handshake, its data, its end. What
  /// acknowledges, the kernel sends by itself.
  package convenience init(_ packet: Packet, _ header: TCPHeader, by stream: LocalStream) {
    let data = packet.payload
    self.init {
      if header.flags.contains(.syn) { return stream.connect() }
      if header.flags.contains(.rst) { return stream.reset() }
      return data.isEmpty ? 0 : stream.send(data)
    }
  }

  /// Starts the thread that will send the packet, and waits until it runs, so that what `go` sets off
  /// takes no longer than it must.
  private init(_ send: @escaping @Sendable () -> Int32) {
    self.send = send
    var thread = pthread_t()
    let unmanaged = unsafe Unmanaged.passRetained(self)
    // Sound: the thread releases the reference that was retained for it.
    let started = unsafe pthread_create(
      &thread, nil,
      { pointer in
        let injection = unsafe Unmanaged<Injection>.fromOpaque(pointer!).takeRetainedValue()
        injection.run()
        return nil
      }, unmanaged.toOpaque())
    guard started == 0 else {
      // No more threads for this user, or no memory for one: `go` sends it, and nothing is read meanwhile.
      unsafe unmanaged.release()
      state.store(Self.alone, ordering: .releasing)
      return
    }
    pthread_detach(thread)
    while state.load(ordering: .acquiring) == Self.starting { sched_yield() }
  }

  /// Has the packet sent now.
  package func go() {
    if state.load(ordering: .acquiring) == Self.alone {
      return state.store(send(), ordering: .releasing)
    }
    _ = state.compareExchange(
      expected: Self.ready, desired: Self.going, ordering: .acquiringAndReleasing)
  }

  /// Nil while the packet is on its way; then 0, or the errno that refused it.
  package var errno: Int32? {
    let value = state.load(ordering: .acquiring)
    return value < 0 ? nil : value
  }

  private func run() {
    state.store(Self.ready, ordering: .releasing)
    while state.load(ordering: .acquiring) == Self.ready { sched_yield() }
    state.store(send(), ordering: .releasing)
  }
}
