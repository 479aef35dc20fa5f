// MARK: - Value to bytes

extension Packet {
  /// The packet on the wire: lengths and checksums computed.
  /// `length` and received checksums play no part.
  package var bytes: [UInt8] {
    let segment = transportBytes
    var result: [UInt8] = []
    switch (source, destination) {
    case (.v4, .v4):
      let header = 20 + options.count
      result += [0x40 | UInt8(truncatingIfNeeded: header / 4), tos]
      result.append(bigEndian: UInt16(truncatingIfNeeded: header + segment.count))
      result.append(bigEndian: identification ?? 0)
      var flags: UInt16 = dontFragment ? 0x4000 : 0
      if let fragment {
        flags |= UInt16(truncatingIfNeeded: fragment.offset / 8) | (fragment.more ? 0x2000 : 0)
      }
      result.append(bigEndian: flags)
      result += [ttl, proto.rawValue, 0, 0]
      result += source.bytes + destination.bytes + options
      let checksum = InternetChecksum.of(result)
      result[10] = UInt8(checksum >> 8)
      result[11] = UInt8(truncatingIfNeeded: checksum)
    default:
      result.append(bigEndian: 6 << 28 | UInt32(tos) << 20 | flowLabel & 0xf_ffff)
      result.append(bigEndian: UInt16(truncatingIfNeeded: options.count + segment.count))
      let hopByHop: UInt8 = 0
      result += [options.isEmpty ? proto.rawValue : hopByHop, ttl]
      result += source.bytes + destination.bytes + options
    }
    return result + segment
  }

  /// Transport header and payload, the transport's checksum filled in.
  private var transportBytes: [UInt8] {
    let (header, guarded) = transport.bytes(payload: payload.count)
    var segment = header + payload
    switch guarded {
    case .none: break
    case .crc32c(let offset):
      let value = CRC32C.of(segment)
      for index in 0..<4 {
        segment[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
      }
    case .internet(let offset):
      var checksum = InternetChecksum()
      if proto != .icmp { checksum.add(pseudoHeader(length: segment.count)) }
      checksum.add(segment)
      // RFC 768: a computed zero is sent as all ones.
      let value = checksum.value == 0 && proto == .udp ? 0xffff : checksum.value
      segment[offset] = UInt8(value >> 8)
      segment[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
    return segment
  }

  /// RFC 9293 section 3.1 and RFC 8200 section 8.1.
  private func pseudoHeader(length: Int) -> [UInt8] {
    var bytes = source.bytes + destination.bytes
    bytes.append(bigEndian: UInt32(length))
    bytes.append(bigEndian: UInt32(proto.rawValue))
    return bytes
  }
}
