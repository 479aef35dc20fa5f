import App
import Glibc
import Kernel
import Trace
import Wire

extension Injection: ProbeSending {}

/// Probes are written to a TUN device.
final class TunPath: ProbePath, SilentDevice {
  private let device: Shared<TunDevice>

  /// Through this device.
  init(_ device: Shared<TunDevice>) { self.device = device }

  var descriptor: Int32? { device.value.descriptor }
  var name: String { device.value.name }
  var index: UInt32 { device.value.index }

  func prepare(_ packet: Packet, as octets: [UInt8]) throws(KernelError) -> any ProbeSending {
    Injection(device.value.framed(octets), to: device.value.descriptor)
  }

  func read() throws(KernelError) -> [UInt8]? { try device.value.read() }

  func failure(_ errno: Int32) -> KernelError? {
    KernelError(
      cannot: "send the probe into \(name)", function: "write", errno: errno,
      help: errno == EIO ? "The interface is down." : nil)
  }

  func state() throws(KernelError) -> SilentDeviceState { try device.value.silentState() }

  func raiseCarrier() throws(KernelError) { try device.value.raiseCarrier() }
}

/// Probes are sent from this host.
final class LocalPath: ProbePath {
  private let sender: LocalSender
  /// Ports of this host that datagrams are sent from, and answers expected on.
  private var held: [HeldPort] = []

  /// Ports that are held at a time, beside the newest.
  private static let mostHeld = 64

  /// Connections whose data was not answered yet.
  private var streams: [LocalStream] = []
  /// Whether the probes' ports are held.
  private let holdsPorts: Bool
  /// Whether the probes are connections that carry data.
  private let connects: Bool

  /// By this sender, what this plan has.
  init(_ sender: LocalSender, _ plan: ProbePlan) {
    self.sender = sender
    holdsPorts = plan.proto.kind.holdsPort
    connects = plan.data != nil
  }

  var descriptor: Int32? { nil }

  func prepare(_ packet: Packet, as octets: [UInt8]) throws(KernelError) -> any ProbeSending {
    if connects, let header = packet.tcp {
      if header.flags.contains(.syn) { streams.append(try sender.stream(packet, header)) }
      if let stream = streams.last(where: { $0.port == header.sourcePort }) {
        if header.flags.contains(.rst) { streams.removeAll { $0 === stream } }
        return Injection(packet, header, by: stream)
      }
    }
    guard holdsPorts, let port = packet.sourcePort else {
      return Injection(packet, as: octets, through: sender, from: nil)
    }
    if !held.contains(where: { $0.port == port }) {
      held = held.suffix(Self.mostHeld) + [sender.hold(port: port)].compactMap { $0 }
    }
    return Injection(
      packet, as: octets, through: sender, from: held.first { $0.port == port })
  }

  func read() throws(KernelError) -> [UInt8]? { nil }

  func failure(_ errno: Int32) -> KernelError? { nil }
}

/// Probes arrive on an interface, as if a neighbour had sent them.
final class ArrivingPath: ProbePath {
  private let injector: Shared<FrameInjector>
  private let addresses: ArrivingAddresses
  private var hasAsked = false

  /// On the interface of this injector, from this neighbour.
  init(_ injector: Shared<FrameInjector>, _ addresses: ArrivingAddresses) {
    self.injector = injector
    self.addresses = addresses
  }

  var descriptor: Int32? { nil }

  func prepare(_ packet: Packet, as octets: [UInt8]) throws(KernelError) -> any ProbeSending {
    if !hasAsked, let question = addresses.question {
      hasAsked = true
      try injector.value.inject(question.frame)
    }
    let frame = injector.value.frame(
      octets, from: addresses.source, to: addresses.destination)
    if injector.value.isWire { return WireSending(frame, through: injector) }
    return try Injection(frame: frame, through: injector.value)
  }

  func read() throws(KernelError) -> [UInt8]? { nil }

  func failure(_ errno: Int32) -> KernelError? { injector.value.failure(errno) }
}

/// A packet that comes in over the wire of a copy: the kernel takes it through its hooks before the call returns, and what it
/// says of one packet waits to be read.
final class WireSending: ProbeSending {
  private let frame: [UInt8]
  private let injector: Shared<FrameInjector>
  private(set) var errno: Int32?

  /// This frame, by this injector.
  init(_ frame: [UInt8], through injector: Shared<FrameInjector>) {
    self.frame = frame
    self.injector = injector
  }

  func go() {
    do throws(KernelError) {
      try injector.value.inject(frame)
      errno = 0
    } catch {
      errno = error.errno
    }
  }
}
