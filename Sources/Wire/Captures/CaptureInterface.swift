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
