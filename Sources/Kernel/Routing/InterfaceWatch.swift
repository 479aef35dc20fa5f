package import Trace
internal import Wire

/// Hears of changes to interfaces and addresses as they are made: the groups `RTNLGRP_LINK`,
/// `RTNLGRP_IPV4_IFADDR` and `RTNLGRP_IPV6_IFADDR` of rtnetlink(7). It belongs to the network namespace
/// its thread was in when it was opened, and takes no rights.
package struct InterfaceWatch: ~Copyable {
  private var conversation: NetlinkConversation

  private static let groups: UInt32 = 1 << 0 | 1 << 4 | 1 << 8
  private static let attempt = "listen to changes of interfaces and addresses"

  /// Begins to listen.
  package init() throws(KernelError) {
    conversation = try NetlinkConversation(
      with: .route, groups: Self.groups, attempt: Self.attempt)
  }

  /// What was changed since the last time. Packets that are still to be read came before and behind it:
  /// what was made is to be known before they are looked at, what was removed to be forgotten afterwards.
  package struct Changes: Sendable {
    /// `RTM_NEW…`: what is there now, and was not, or was otherwise.
    package var made: [Record] = []
    /// `RTM_DEL…`.
    package var removed: [Record] = []
    /// Whether these are all: else the kernel had no room for some, and the lists are to be read anew.
    package var areAll = true

    /// Nothing was changed.
    package init() {}
  }

  /// For poll(2): readable when something was changed.
  package var fileDescriptor: Int32 { conversation.descriptor }

  /// Takes what is there; does not wait.
  package mutating func changes() -> Changes {
    var changes = Changes()
    while true {
      let messages: [NetlinkMessage]
      do {
        messages = try conversation.receive(attempt: Self.attempt, wait: false)
      } catch {
        // There was no room for some, or one of them cannot be read.
        changes.areAll = false
        return changes
      }
      if messages.isEmpty { return changes }
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
