internal import CNetfilter
internal import Glibc
internal import Wire

/// The world around a copy of a network namespace: whoever is asked for has an address, and whatever is sent to somebody
/// gets an answer. And the programs of the copy itself, which take what is for them.
///
/// A process of its own, for it answers while this one waits for the answer.
final class FarSide: Sendable {
  private let process: ForkedProcess
  /// What the process was told. It is kept here: an optimized build lets go of it before the fork where nobody needs it behind
  /// that, for the process never returns from what it does.
  private let stations: KnownStations

  /// Starts it. `world` is where the other ends of the copy's interfaces are, the sockets are those of the
  /// copy. All are handed over. Who is known to be behind a port of a bridge is there alone.
  init(
    world: Int32, stations: KnownStations, datagrams: [Int32], connections: [Int32]
  ) throws(KernelError) {
    let count = datagrams.count
    let process = ForkedProcess(handing: [world] + datagrams + connections) { connection, files in
      Self.serve(
        connection, world: files[0], stations,
        datagrams: Array(files.dropFirst().prefix(count)),
        connections: Array(files.dropFirst(1 + count)))
    }
    guard let process else {
      throw KernelError(
        cannot: "copy the network namespace", function: "fork", errno: Glibc.errno)
    }
    self.process = process
    self.stations = stations
  }

  // MARK: In the process

  private static let longestFrame = 65_600

  private static func serve(
    _ connection: Int32, world: Int32, _ stations: KnownStations, datagrams: [Int32],
    connections: [Int32]
  ) -> Never {
    // Nothing is opened any more.
    try? Privileges.keep([])
    var polled = ([connection, world] + datagrams + connections).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    var buffer = [UInt8](repeating: 0, count: longestFrame)
    var held: [Int32] = []
    var answers = FarAnswers(stations)
    while true {
      // Sound: the pointer and the count are those of one array.
      let ready = try? syscall { unsafe poll(&polled, nfds_t(polled.count), -1) }
      guard ready != nil else { continue }
      if polled[0].revents != 0 { _exit(0) }
      if polled[1].revents != 0 { answer(world, &answers, &buffer) }
      for (index, entry) in polled.enumerated().dropFirst(2) where entry.revents != 0 {
        if index < 2 + datagrams.count {
          echo(entry.fd, &buffer)
        } else {
          // Nobody reads from it: the connection stands, and that is all that is asked.
          let accepted = accept(entry.fd, nil, nil)
          guard accepted >= 0 else { continue }
          held.append(accepted)
          if held.count > most { close(held.removeFirst()) }
        }
      }
    }
  }

  /// Connections that are held at a time.
  private static let most = 64

  /// Sends a datagram back to where it came from.
  private static func echo(_ number: Int32, _ buffer: inout [UInt8]) {
    var peer = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    // Sound: no more is written than the array and the storage have, whose sizes are said.
    unsafe withUnsafeMutablePointer(to: &peer) { peer in
      unsafe peer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let count = unsafe recvfrom(number, &buffer, buffer.count, 0, address, &length)
        if count >= 0 { _ = unsafe sendto(number, buffer, count, 0, address, length) }
      }
    }
  }

  /// Answers what is there on the wire.
  private static func answer(
    _ world: Int32, _ answers: inout FarAnswers, _ buffer: inout [UInt8]
  ) {
    var interface: UInt32 = 0
    while true {
      // Sound: the call fills at most the octets that the array has.
      let count = unsafe nftrace_receive_frame(world, &buffer, buffer.count, &interface)
      guard count > 0 else { return }
      for frame in answers.frames(to: Array(buffer[..<count]), interface: interface) {
        // Sound: the call reads as many octets as the array has.
        _ = unsafe nftrace_send_frame(world, frame, frame.count, interface)
      }
    }
  }
}
