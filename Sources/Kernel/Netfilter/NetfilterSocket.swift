internal import CNetfilter
internal import Glibc
package import Trace
internal import Wire

/// libnetfilter_log's netlink socket, which is at once the holder of an NFLOG group, a member of
/// the nf_tables trace and conntrack event groups, and the owner of nftrace's tables: its queue
/// is the order in which things happened, and the kernel removes everything when it closes.
@safe package struct NetfilterSocket: ~Copyable {
  private let handle: OpaquePointer
  /// What is said over it.
  var conversation: NetlinkConversation
  /// The number of the first message of the next transaction.
  var sequence: UInt32 = 1
  /// Messages that the kernel had no room for, as far as they were told.
  private var lost: UInt32 = 0
  /// By how many nanoseconds the machine's clock was set since this process began, as far as it was told.
  private var clockStep: Int64 = 0
  /// Has the tables that the kernel does not remove when this closes.
  var keeper: TableKeeper?
  /// The NFLOG group this socket holds.
  package private(set) var group: UInt16?

  /// Opens the socket. Throws when this kernel has no nfnetlink.
  package init() throws(KernelError) {
    // Sound: what is opened is ours until deinit closes it.
    guard let opened = unsafe nflog_open() else {
      throw KernelError(
        cannot: "open a netfilter socket", function: "nflog_open", errno: Glibc.errno,
        help: "The kernel needs CONFIG_NETFILTER_NETLINK_LOG (modprobe nfnetlink_log).")
    }
    unsafe handle = opened
    conversation = NetlinkConversation(
      over: unsafe nflog_fd(opened), with: .netfilter, room: 1 << 18)
    // libnfnetlink opens it inheritable; a child that kept it would keep our tables alive.
    _ = fcntl(conversation.descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit {
    // Sound: the handle was opened by init, and is closed here alone.
    _ = unsafe nflog_close(handle)
  }

  /// For poll(2).
  package var fileDescriptor: Int32 { conversation.descriptor }

  // MARK: Setting up

  /// Takes an NFLOG group: `wanted`, or the first free one. Throws if another program holds it.
  /// `besides` takes it beside the one there is, which stays the `group` to log to.
  package mutating func takeGroup(
    _ wanted: UInt16? = nil, besides: Bool = false
  ) throws(KernelError) {
    // Above those that people choose, from a random one on.
    let first = wanted ?? UInt16.random(in: 0xf000...0xff80)
    let candidates = first...(wanted ?? first + 63)
    for candidate in candidates {
      // Sound: libnetfilter_log keeps what is bound until the handle is closed.
      guard let bound = unsafe nflog_bind_group(handle, candidate) else { continue }
      if !besides { group = candidate }
      // Every message at once, in order, numbered. The timeout is in hundredths of a second.
      _ = unsafe nflog_set_mode(bound, UInt8(NFULNL_COPY_PACKET), 0xffff)
      _ = unsafe nflog_set_qthresh(bound, 1)
      _ = unsafe nflog_set_timeout(bound, 1)
      _ = unsafe nflog_set_flags(bound, UInt16(NFULNL_CFG_F_SEQ))
      return
    }
    let failed = Glibc.errno
    guard let wanted else {
      throw KernelError(
        cannot: "find a free NFLOG group", function: "nflog_bind_group", errno: failed,
        help: RefusalAdvice.help(for: failed, "CAP_NET_ADMIN", "NFLOG (modprobe nfnetlink_log)"))
    }
    throw KernelError(
      cannot: "listen on NFLOG group \(wanted)", function: "nflog_bind_group", errno: failed,
      help: LogGroups.holder(of: wanted).map { "It is held by \($0). Choose another --group." }
        ?? RefusalAdvice.help(for: failed, "CAP_NET_ADMIN", "NFLOG (modprobe nfnetlink_log)"))
  }

  /// Makes room for this many octets of messages that were not read yet.
  package func setReceiveBuffer(_ octets: Int32) {
    var size = octets
    // Sound: the size is that of the variable pointed to, which the call only reads.
    if unsafe setsockopt(
      fileDescriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, socklen_t(MemoryLayout<Int32>.size)) != 0
    {
      _ = unsafe setsockopt(
        fileDescriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  /// Joins the groups of nf_tables trace, nf_tables changes and conntrack events.
  package func join() throws(KernelError) {
    let groups = [
      NFNLGRP_NFTRACE, NFNLGRP_NFTABLES, NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE,
      NFNLGRP_CONNTRACK_DESTROY,
    ]
    for group in groups {
      var number = Int32(group.rawValue)
      // Sound: the size is that of the variable pointed to, which the call only reads.
      guard
        unsafe setsockopt(
          fileDescriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &number,
          socklen_t(MemoryLayout<Int32>.size)) == 0
      else {
        let failed = Glibc.errno
        throw KernelError(
          cannot: "listen to netfilter's event group \(number)", function: "setsockopt",
          errno: failed, help: RefusalAdvice.help(for: failed, "CAP_NET_ADMIN", "nf_tables"))
      }
    }
  }

  // MARK: Receiving

  private static let receiving = "receive from netfilter"
  /// Nanoseconds by which the clock is set at least: less may be because two clocks are not read at once.
  private static let leastStep: UInt64 = 1_000_000

  /// What the kernel had no room for so far is not told.
  mutating func forgetLoss() { lost = nftrace_socket_drops(fileDescriptor) }

  /// Takes nothing into the queue any more: what is there is all that comes.
  package func stopListening() { _ = nftrace_socket_refuse(fileDescriptor) }

  /// All messages that are there now, in the order in which the kernel sent them; at most those of
  /// so many datagrams. Before them, that the machine's clock was set, if it was. Returns whether there
  /// was nothing more.
  @discardableResult
  package mutating func drain(
    atMost limit: Int = .max, into record: (Record) throws(KernelError) -> Void
  ) throws(KernelError) -> Bool {
    if let step = Clock.step, (step - clockStep).magnitude > Self.leastStep {
      clockStep = step
      try record(Record(time: Clock.realtime, .note(.clockSet(step))))
    }
    var count = 0
    while count < limit {
      // Where many wait, when each was read says nothing of when it came.
      let isBacklog = count >= Self.backlog
      let datagrams: [[NetlinkMessage]]
      do {
        datagrams =
          isBacklog
          ? try conversation.receiveSeveral(attempt: Self.receiving)
          : [try conversation.receive(attempt: Self.receiving, wait: false)]
      } catch  where error.errno == ENOBUFS || error.errno == EBADMSG {
        // The former is said once, before what was in the queue: how many, at the end of that.
        count += 1
        continue
      }
      if datagrams.isEmpty || (!isBacklog && datagrams[0].isEmpty) {
        try tellLoss(record)
        return true
      }
      count += datagrams.count
      let time = Clock.realtime
      for message in datagrams.joined() where message.type != NLMSG_DONE {
        if message.type == LogMessage.type {
          try record(Record(time: time, .log(message.payload)))
        } else if message.type != NLMSG_ERROR {
          try record(Record(time: time, .netlink(message)))
        }
      }
    }
    try tellLoss(record)
    return false
  }

  /// Datagrams that are read one by one, each with the time at which it was, before the rest is read in batches.
  private static let backlog = 48

  /// Throws away all messages that are there now. Returns how many that were: each came in a datagram
  /// of its own.
  package mutating func skip() -> Int {
    var count = 0
    while true {
      do {
        if try conversation.receive(attempt: Self.receiving, wait: false).isEmpty { return count }
        count += 1
      } catch {
        guard [ENOBUFS, EBADMSG].contains(error.errno) else { return count }
      }
    }
  }

  /// Tells how many messages the kernel had no room for since this was told last. It counts datagrams,
  /// and we have each message in one of its own.
  private mutating func tellLoss(
    _ record: (Record) throws(KernelError) -> Void
  ) throws(KernelError) {
    let drops = nftrace_socket_drops(fileDescriptor)
    guard drops != lost else { return }
    try record(Record(time: Clock.realtime, .lost(Int(drops &- lost))))
    lost = drops
  }
}
