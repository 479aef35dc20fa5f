internal import Glibc
internal import Wire

/// The connections that conntrack knows, in the network namespace of the calling thread.
package enum Connections {
  /// Has it forget all of them. The corresponding request is `IPCTNL_MSG_CT_DELETE`. Where there is no conntrack,
  /// there are none.
  package static func flush() throws(KernelError) {
    let attempt = "have conntrack forget"
    var conversation = try NetlinkConversation(with: .netfilter, attempt: attempt)
    let message = NetlinkMessage(
      type: UInt16(NetfilterSubsystem.conntrack) << 8 | 2,
      payload: NetfilterHeader(family: 0).bytes)
    do {
      try conversation.acknowledge(message, attempt: attempt)
    } catch  where error.errno == EINVAL || error.errno == ENOENT {
      // The module is not loaded.
    }
  }
}
