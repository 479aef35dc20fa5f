internal import CNetfilter
internal import Glibc
package import Trace
internal import Wire

/// libnetfilter_log's netlink socket, which is at once the holder of an NFLOG group, a member of
/// the nf_tables trace and conntrack event groups, and the owner of nftrace's tables: its queue
/// is the order in which things happened, and the kernel removes everything when it closes.
@safe package struct NetfilterSocket: ~Copyable {
  private let handle: OpaquePointer
  private let descriptor: Int32
  private var buffer: [UInt8]
  private var sequence: UInt32 = 1
  /// Messages that the kernel had no room for, as far as they were told.
  private var lost: UInt32 = 0
  /// Has the tables that the kernel does not remove when this closes.
  private var keeper: TableKeeper?
  /// The NFLOG group this socket holds.
  package private(set) var group: UInt16?

  /// Opens the socket. Throws when this kernel has no nfnetlink.
  package init() throws(KernelError) {
    guard let opened = unsafe nflog_open() else {
      throw KernelError(
        cannot: "open a netfilter socket", function: "nflog_open", errno: Glibc.errno,
        help: "The kernel needs CONFIG_NETFILTER_NETLINK_LOG (modprobe nfnetlink_log).")
    }
    unsafe handle = opened
    descriptor = unsafe nflog_fd(opened)
    buffer = .room(1 << 18)
    // libnfnetlink opens it inheritable; a child that kept it would keep our tables alive.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { _ = unsafe nflog_close(handle) }

  /// For poll(2).
  package var fileDescriptor: Int32 { descriptor }

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
    if unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, socklen_t(MemoryLayout<Int32>.size)) != 0
    {
      _ = unsafe setsockopt(
        descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
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
      guard
        unsafe setsockopt(
          descriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &number,
          socklen_t(MemoryLayout<Int32>.size)) == 0
      else {
        let failed = Glibc.errno
        throw KernelError(
          cannot: "listen to netfilter's event group \(number)", function: "setsockopt",
          errno: failed, help: RefusalAdvice.help(for: failed, "CAP_NET_ADMIN", "nf_tables"))
      }
    }
  }

  /// Carries out the transaction that makes these tables, in the place of those that
  /// have this name if `replacing`. They go when this socket closes; with nil for `journals` they stay.
  /// It is a directory, see `run(owning:journals:)`. Returns the points that
  /// were made: a kernel without the netdev family's hooks (egress came with 5.16) has fewer.
  package mutating func install(
    _ tables: ObservationTables, table: String, journals: String?, replacing: Bool = false,
    points: [ObservationPoint], devices: [String]
  ) throws(KernelError) -> [ObservationPoint] {
    var points = points
    var tables = tables
    while true {
      do {
        let batch = { (owned: Bool, sequence: UInt32) in
          tables.batch(
            table: table, owned: owned, replacing: replacing, points: points,
            devices: devices, firstSequence: sequence)
        }
        if let journals {
          try run(owning: table, journals: journals, batch)
        } else {
          try run(batch(false, sequence))
        }
        return points
      } catch {
        guard [EOPNOTSUPP, EAFNOSUPPORT, ENOENT].contains(error.errno) else { throw error }
        if tables.watchesARP, error.attempt.contains(" \(NFProto.name(NFProto.arp)) ") {
          tables.watchesARP = false
          continue
        }
        let edges: [Hook] = [.egress, .ingress]
        guard
          let missing = edges.first(where: { hook in points.contains { $0.hook == hook } })
        else { throw error }
        points.removeAll { $0.hook == missing }
      }
    }
  }

  /// Removes a table of this name in both families, if it is there.
  package mutating func removeTables(_ name: String, families: [UInt8]) throws(KernelError) {
    guard !families.isEmpty else { return }
    try run { batch in
      for family in families { batch.deleteTable(family: family, name: name) }
    }
  }

  /// Carries out a transaction that makes tables of this name, which go when this socket closes.
  /// `batch` gets whether they are to have it for their owner, and the number to begin with. Where the
  /// kernel knows no owners, before Linux 5.12, a guardian removes them, whose journal is kept in the
  /// directory `journals`.
  mutating func run(
    owning table: String, journals: String,
    _ batch: (_ owned: Bool, _ sequence: UInt32) -> RulesetBatch
  ) throws(KernelError) {
    if keeper == nil {
      do {
        return try run(batch(true, sequence))
      } catch {
        guard error.errno == EINVAL, error.attempt.hasPrefix("add table") else { throw error }
      }
      keeper = try TableKeeper(table, journals: journals)
    }
    try run(batch(false, sequence))
  }

  /// Carries out the transaction that `build` makes.
  mutating func run(_ build: (inout RulesetBatch) -> Void) throws(KernelError) {
    var batch = RulesetBatch(firstSequence: sequence)
    build(&batch)
    batch.end()
    try run(batch)
  }

  /// Sends a transaction and waits for its acknowledgment.
  private mutating func run(_ batch: RulesetBatch) throws(KernelError) {
    sequence += UInt32(batch.purposes.count)
    var room = Int32(batch.bytes.count * 4)
    _ = unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &room, socklen_t(MemoryLayout<Int32>.size))
    let sent = unsafe batch.bytes.withUnsafeBytes {
      unsafe send(descriptor, $0.baseAddress!, $0.count, 0)
    }
    guard sent == batch.bytes.count else {
      throw KernelError(
        cannot: "send an nf_tables transaction", function: "send", errno: Glibc.errno)
    }
    var isCut = false
    while !isCut {
      var messages: [NetlinkMessage] = []
      do {
        messages = try receive(wait: true)
      } catch  where error.errno == ENOBUFS {
        // Each step is refused by a message, which may be more than there is room for. The first of
        // them is there, and tells; until all are read there is room for no others.
        isCut = true
        while case let more = try receive(wait: false), !more.isEmpty { messages += more }
        // Nothing about packets was.
        lost = nftrace_socket_drops(descriptor)
      }
      for message in messages where message.type == NLMSG_ERROR {
        // Of a transaction that was refused before, more may have been said than was read.
        guard message.payload.count >= 4,
          batch.purposes.indices.contains(Int(message.sequence &- batch.firstSequence))
        else { continue }
        let failed = message.errorCode
        if failed != 0 { throw transactionError(failed, batch, message.sequence) }
        if message.sequence == batch.lastObject { return }
      }
    }
    throw KernelError(
      cannot: "hear what became of an nf_tables transaction", function: "recv", errno: ENOBUFS)
  }

  /// Tries a transaction out: the kernel looks at everything in it, says what it would refuse, and
  /// carries nothing out, because the end is missing. Returns what it refused, and why.
  mutating func tryOut(
    _ build: (inout RulesetBatch) -> Void
  ) throws(KernelError) -> [(purpose: String, errno: Int32)] {
    var batch = RulesetBatch(firstSequence: sequence)
    build(&batch)
    batch.leaveOpen()
    sequence += UInt32(batch.purposes.count)
    let sent = unsafe batch.bytes.withUnsafeBytes {
      unsafe send(descriptor, $0.baseAddress!, $0.count, 0)
    }
    guard sent == batch.bytes.count else {
      throw KernelError(
        cannot: "try an nf_tables transaction", function: "send", errno: Glibc.errno)
    }
    // The kernel answers before send(2) returns.
    var refused: [(purpose: String, errno: Int32)] = []
    while true {
      let messages = try receive(wait: false)
      if messages.isEmpty { return refused }
      for message in messages where message.type == NLMSG_ERROR && message.payload.count >= 4 {
        let failed = message.errorCode
        let index = Int(message.sequence &- batch.firstSequence)
        if failed != 0, batch.purposes.indices.contains(index) {
          // Refused as a whole where the first message already is: for want of rights.
          let purposes = index == 0 ? batch.purposes : [batch.purposes[index]]
          refused += purposes.map { ($0, failed) }
        }
      }
    }
  }

  private func transactionError(
    _ errno: Int32, _ batch: RulesetBatch, _ sequence: UInt32
  ) -> KernelError {
    let index = Int(sequence &- batch.firstSequence)
    let purpose = batch.purposes.indices.contains(index) ? batch.purposes[index] : "run a batch"
    return KernelError(
      cannot: purpose, function: "nf_tables", errno: errno,
      help: RefusalAdvice.help(for: errno, "CAP_NET_ADMIN", "nf_tables (modprobe nf_tables)"))
  }

  // MARK: Receiving

  /// Takes nothing into the queue any more: what is there is all that comes.
  package func stopListening() { _ = nftrace_socket_refuse(descriptor) }

  /// All messages that are there now, in the order in which the kernel sent them; at most those of
  /// so many datagrams. Returns whether there was nothing more.
  @discardableResult
  package mutating func drain(
    atMost limit: Int = .max, into record: (Record) throws(KernelError) -> Void
  ) throws(KernelError) -> Bool {
    for _ in 0..<limit {
      let messages: [NetlinkMessage]
      do {
        messages = try receive(wait: false)
      } catch  where error.errno == ENOBUFS {
        // Said once, before what was in the queue: how many, at the end of that.
        continue
      }
      if messages.isEmpty {
        try tellLoss(record)
        return true
      }
      let time = Clock.realtime
      for message in messages where message.type != NLMSG_DONE {
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

  /// Throws away all messages that are there now. Returns how many that were: each came in a datagram
  /// of its own.
  package mutating func skip() -> Int {
    var count = 0
    while true {
      var octet: UInt8 = 0
      if unsafe recv(descriptor, &octet, 1, Int32(MSG_DONTWAIT)) >= 0 {
        count += 1
      } else if ![EINTR, ENOBUFS].contains(Glibc.errno) {
        return count
      }
    }
  }

  /// Tells how many messages the kernel had no room for since this was told last. It counts datagrams,
  /// and we have each message in one of its own.
  private mutating func tellLoss(
    _ record: (Record) throws(KernelError) -> Void
  ) throws(KernelError) {
    let drops = nftrace_socket_drops(descriptor)
    guard drops != lost else { return }
    try record(Record(time: Clock.realtime, .lost(Int(drops &- lost))))
    lost = drops
  }

  /// One datagram's messages; none when there is nothing and `wait` is false.
  private mutating func receive(wait: Bool) throws(KernelError) -> [NetlinkMessage] {
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress!, $0.count, wait ? 0 : Int32(MSG_DONTWAIT))
      }
      let failed = Glibc.errno
      if count >= 0 {
        return (try? NetlinkMessage.all(in: buffer, count: count)) ?? []
      }
      switch failed {
      case EINTR: continue
      case EAGAIN: return []
      default:
        throw KernelError(
          cannot: "receive from netfilter", function: "recv", errno: failed)
      }
    }
  }
}
