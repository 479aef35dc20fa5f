internal import CNetfilter
internal import Glibc
package import Trace
internal import Wire

/// Hears of changes to interfaces and addresses as they are made: the groups `RTNLGRP_LINK`,
/// `RTNLGRP_IPV4_IFADDR` and `RTNLGRP_IPV6_IFADDR` of rtnetlink(7). It belongs to the network namespace
/// its thread was in when it was opened, and takes no rights.
@safe package struct InterfaceWatch: ~Copyable {
  private let handle: OpaquePointer
  private var buffer: [UInt8] = .room(65536)

  private static let groups: UInt32 = 1 << 0 | 1 << 4 | 1 << 8

  /// Begins to listen. The corresponding C functions are `mnl_socket_open2` and `mnl_socket_bind`.
  package init() throws(KernelError) {
    let attempt = "listen to changes of interfaces and addresses"
    let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    guard let handle = unsafe mnl_socket_open2(NETLINK_ROUTE, flags) else {
      throw KernelError(cannot: attempt, function: "mnl_socket_open2", errno: errno)
    }
    guard unsafe mnl_socket_bind(handle, Self.groups, 0) == 0 else {
      let code = errno
      _ = unsafe mnl_socket_close(handle)
      throw KernelError(cannot: attempt, function: "mnl_socket_bind", errno: code)
    }
    unsafe self.handle = handle
  }

  deinit { _ = unsafe mnl_socket_close(handle) }

  /// What was changed since the last time. Packets that are still to be read came before and behind it:
  /// what was made is to be known before they are looked at, what was removed to be forgotten afterwards.
  package struct Changes: Sendable {
    /// `RTM_NEW…`: what is there now, and was not, or was otherwise.
    package var made: [Record] = []
    /// `RTM_DEL…`.
    package var removed: [Record] = []
    /// Whether these are all: else the kernel had no room for some, and the lists are to be read anew.
    package var areAll = true
  }

  /// Takes what is there; does not wait.
  package mutating func changes() -> Changes {
    var changes = Changes()
    while true {
      let handle = unsafe self.handle
      // Sound: the pointer and the size are those of one buffer.
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe mnl_socket_recvfrom(handle, $0.baseAddress!, $0.count)
      }
      guard count > 0 else {
        if errno == EINTR { continue }
        if errno == ENOBUFS { changes.areAll = false }
        return changes
      }
      guard let messages = try? NetlinkMessage.all(in: buffer, count: count) else {
        changes.areAll = false
        return changes
      }
      let now = Clock.realtime
      for message in messages {
        let record = Record(time: now, .netlink(message))
        switch message.type {
        case RouteMessageType.deleteLink, RouteMessageType.deleteAddress:
          changes.removed.append(record)
        default: changes.made.append(record)
        }
      }
    }
  }
}
