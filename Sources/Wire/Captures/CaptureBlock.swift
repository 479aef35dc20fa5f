// What a capture file holds, whichever format it is in. PcapNG.swift and PcapFile.swift write it,
// CaptureDecoder.swift reads it.

/// One piece of a capture file, in the order of the file.
package enum CaptureBlock: Sendable, Equatable {
  /// The octets that a section begins with, in either order of octets.
  package static let sectionMark: [UInt8] = [0x0a, 0x0d, 0x0d, 0x0a]

  case section(CaptureSection)
  case interface(CaptureInterface)
  case packet(CapturedPacket)
  case statistics(CaptureStatistics)
  /// A block of a type that is not decoded, by its number.
  case unknown(type: UInt32)
}
