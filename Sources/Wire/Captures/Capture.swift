// What a capture file holds, whichever format it is in. PcapNG.swift and PcapFile.swift write it,
// CaptureDecoder.swift reads it.

/// What the packets of an interface begin with: https://www.tcpdump.org/linktypes.html
public struct LinkType: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The number in a file's header.
  public let rawValue: UInt16

  /// The link type with this number, known or not.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// An Ethernet header.
  public static let ethernet = LinkType(rawValue: 1)
  /// An IPv4 or IPv6 header; the version nibble says which.
  public static let raw = LinkType(rawValue: 101)
  /// The 16-octet header of Linux's "any" device, version 1.
  public static let linuxCooked = LinkType(rawValue: 113)
  /// An nfgenmsg and NFULA_… attributes: an NFLOG message without its netlink header.
  public static let nflog = LinkType(rawValue: 239)
  /// A 16-octet header that names the netlink family, then the netlink message, header and all.
  public static let netlink = LinkType(rawValue: 253)

  /// The name that tcpdump has for it, or the number.
  public var description: String {
    switch self {
    case .ethernet: "EN10MB"
    case .raw: "RAW"
    case .linuxCooked: "LINUX_SLL"
    case .nflog: "NFLOG"
    case .netlink: "NETLINK"
    default: "\(rawValue)"
    }
  }
}

/// A part of a capture file with its own numbering of interfaces: most files are one section.
public struct CaptureSection: Sendable, Equatable {
  /// The machine that recorded (shb_hardware).
  public var hardware: String?
  /// Its operating system (shb_os).
  public var os: String?
  /// The program that recorded (shb_userappl).
  public var application: String?
  /// Comments, in the order of the file. There is no limit of 65535 octets on one.
  public var comments: [String]

  /// A section; what is nil is not written.
  public init(
    hardware: String? = nil, os: String? = nil, application: String? = nil, comments: [String] = []
  ) {
    self.hardware = hardware
    self.os = os
    self.application = application
    self.comments = comments
  }
}

/// Where packets were captured.
public struct CaptureInterface: Sendable, Equatable {
  /// What its packets begin with.
  public var linkType: LinkType
  /// Its name in the system that recorded (if_name).
  public var name: String?
  /// What it is, for a person (if_description).
  public var description: String?
  /// The most octets kept of a packet; 0 is no limit.
  public var snapLength: UInt32
  /// Clock units in a second of the file it was read from (if_tsresol). It tells how exact the
  /// times are: they are given in nanoseconds here and written in nanoseconds whatever this is.
  public var unitsPerSecond: UInt64
  /// The comment. Several in a file are joined by line feeds.
  public var comment: String?

  /// An interface; what is nil is not written.
  public init(
    linkType: LinkType, name: String? = nil, description: String? = nil, snapLength: UInt32 = 0,
    unitsPerSecond: UInt64 = 1_000_000_000, comment: String? = nil
  ) {
    self.linkType = linkType
    self.name = name
    self.description = description
    self.snapLength = snapLength
    self.unitsPerSecond = unitsPerSecond
    self.comment = comment
  }
}

/// Which way a packet went, seen from the machine that recorded it (bits 0 and 1 of epb_flags).
public enum CaptureDirection: UInt32, Sendable {
  case inbound = 1
  case outbound = 2
}

/// One captured packet.
public struct CapturedPacket: Sendable, Equatable {
  /// Which of its section's interfaces, counted from 0 in the order of the file.
  public var interface: Int
  /// Nanoseconds since 1970-01-01 00:00 UTC; 0 where the file has no time.
  public var time: UInt64
  /// The octets kept of it.
  public var data: [UInt8]
  /// Octets it had on the wire.
  public var originalLength: Int
  /// Which way it went, if the file says.
  public var direction: CaptureDirection?
  /// The comment. Several in a file are joined by line feeds.
  public var comment: String?

  /// A packet; without `originalLength` it is complete.
  public init(
    interface: Int, time: UInt64, data: [UInt8], originalLength: Int? = nil,
    direction: CaptureDirection? = nil, comment: String? = nil
  ) {
    self.interface = interface
    self.time = time
    self.data = data
    self.originalLength = originalLength ?? data.count
    self.direction = direction
    self.comment = comment
  }
}

/// What an interface counted up to some time.
public struct CaptureStatistics: Sendable, Equatable {
  /// Which of its section's interfaces, counted from 0 in the order of the file.
  public var interface: Int
  /// When it was counted: nanoseconds since 1970-01-01 00:00 UTC.
  public var time: UInt64
  /// Packets received since the capture began (isb_ifrecv).
  public var received: UInt64?
  /// Packets lost for want of room since the capture began (isb_ifdrop).
  public var dropped: UInt64?
  /// The comment. Several in a file are joined by line feeds.
  public var comment: String?

  /// Statistics; what is nil is not written.
  public init(
    interface: Int, time: UInt64, received: UInt64? = nil, dropped: UInt64? = nil,
    comment: String? = nil
  ) {
    self.interface = interface
    self.time = time
    self.received = received
    self.dropped = dropped
    self.comment = comment
  }
}

/// One piece of a capture file, in the order of the file.
public enum CaptureBlock: Sendable, Equatable {
  case section(CaptureSection)
  case interface(CaptureInterface)
  case packet(CapturedPacket)
  case statistics(CaptureStatistics)
  /// A block of a type that is not decoded, by its number.
  case unknown(type: UInt32)
}

/// Why a capture file could not be read on, and where.
public struct CaptureDamage: Error, Equatable, CustomStringConvertible {
  /// What sort of trouble it is.
  public enum Kind: Sendable {
    /// The first octets are those of neither pcapng nor pcap.
    case notACapture
    /// The file ends inside a block, as when its recorder was killed.
    case truncated
    /// What is there contradicts the format.
    case malformed
  }

  /// What sort of trouble it is.
  public let kind: Kind
  /// What is wrong, in words for a person.
  public let reason: String
  /// Where the block that could not be read begins: octets from the start of the file.
  /// Everything before it was decoded.
  public let offset: Int

  /// Damage of this kind, with a reason in words, at so many octets from the file's start.
  public init(_ kind: Kind, _ reason: String, at offset: Int) {
    self.kind = kind
    self.reason = reason
    self.offset = offset
  }

  /// The reason and the offset.
  public var description: String { "\(reason) at byte \(offset)" }
}
