internal import CNetfilter
internal import Glibc

/// The program that started this one as a service, and waits to hear that it works: systemd, with `Type=notify`.
package struct ServiceManager {
  /// A path, or "@" and the name of an abstract socket.
  private let address: String

  /// The one that listens at this address.
  package init(at address: String) { self.address = address }

  /// The one that started this process, if it is waiting: what it says in NOTIFY_SOCKET.
  package static var waiting: ServiceManager? {
    guard let address = Terminal.environment("NOTIFY_SOCKET"), !address.isEmpty else { return nil }
    return ServiceManager(at: address)
  }

  /// Says that the service works. The corresponding C function is `sd_notify`.
  package func sayReady() throws(KernelError) {
    let message = "READY=1"
    // Sound: both strings outlive the call.
    guard unsafe nftrace_notify(address, message) == 0 else {
      throw KernelError(
        cannot: "tell the service manager at \(address) that the service works", function: "sendto",
        errno: errno)
    }
  }
}
