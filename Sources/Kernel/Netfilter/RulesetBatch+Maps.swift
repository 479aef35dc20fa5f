internal import CNetfilter
internal import Wire

// Maps, and what is put into them and taken out. Sound, as the rest of the batch is: libnftnl copies what it is
// given, and a set owns its elements.
extension RulesetBatch {
  /// A part of a key or value, by nft's own number of its type, so that nft lists the map.
  enum MapField: UInt32 {
    case ipv4 = 7, ipv6 = 8, proto = 12, port = 13

    /// Octets in a register: each takes whole ones of four.
    var length: UInt32 { self == .ipv6 ? 16 : 4 }
  }

  /// A map from keys of some fields to values of others. Returns its id within this batch.
  mutating func addMap(
    family: UInt8, table: String, name: String, from key: [MapField], to value: [MapField],
    most: Int
  ) -> UInt32 {
    let id = takeSetID()
    let set = unsafe Self.set(family, table, name)
    defer { unsafe nftnl_set_free(set) }
    for (attribute, number) in [
      (NFTNL_SET_FLAGS, NFT_SET_MAP.rawValue), (NFTNL_SET_ID, id),
      (NFTNL_SET_KEY_TYPE, Self.type(key)), (NFTNL_SET_KEY_LEN, Self.length(key)),
      (NFTNL_SET_DATA_TYPE, Self.type(value)), (NFTNL_SET_DATA_LEN, Self.length(value)),
      (NFTNL_SET_DESC_SIZE, UInt32(most)),
    ] {
      unsafe nftnl_set_set_u32(set, attribute.number, number)
    }
    unsafe append(
      .addSet(family: family, table: table, name), NFT_MSG_NEWSET, family: family,
      flags: Self.create
    ) { header in
      unsafe nftnl_set_nlmsg_build_payload(header, set)
    }
    return id
  }

  /// Puts an element into a map.
  mutating func put(
    _ key: [UInt8], _ value: [UInt8], into name: String, table: String, family: UInt8
  ) {
    change(
      .fillSet(family: family, table: table, name), NFT_MSG_NEWSETELEM, family, table, name,
      [(NFTNL_SET_ELEM_KEY, key), (NFTNL_SET_ELEM_DATA, value)])
  }

  /// Takes an element out of a map.
  mutating func remove(_ key: [UInt8], from name: String, table: String, family: UInt8) {
    change(
      .emptySet(family: family, table: table, name), NFT_MSG_DELSETELEM, family, table, name,
      [(NFTNL_SET_ELEM_KEY, key)])
  }

  private mutating func change(
    _ step: RulesetStep, _ type: nf_tables_msg_types, _ family: UInt8, _ table: String,
    _ name: String, _ parts: [(Int, [UInt8])]
  ) {
    let set = unsafe Self.set(family, table, name)
    defer { unsafe nftnl_set_free(set) }
    let element = unsafe nftnl_set_elem_alloc()!
    for (attribute, octets) in parts {
      unsafe octets.withUnsafeBytes { octets in
        _ = unsafe nftnl_set_elem_set(
          element, UInt16(attribute), octets.baseAddress!, UInt32(octets.count))
      }
    }
    // The set owns the element from here on.
    unsafe nftnl_set_elem_add(set, element)
    let flags = type == NFT_MSG_NEWSETELEM ? Self.create : 0
    unsafe append(step, type, family: family, flags: flags) { header in
      unsafe nftnl_set_elems_nlmsg_build_payload(header, set)
    }
  }

  private static func set(_ family: UInt8, _ table: String, _ name: String) -> OpaquePointer {
    let set = unsafe nftnl_set_alloc()!
    unsafe nftnl_set_set_str(set, NFTNL_SET_TABLE.number, table)
    unsafe nftnl_set_set_str(set, NFTNL_SET_NAME.number, name)
    unsafe nftnl_set_set_u32(set, NFTNL_SET_FAMILY.number, UInt32(family))
    return unsafe set
  }

  /// nft writes the types of several fields into one number, six bits each.
  private static func type(_ fields: [MapField]) -> UInt32 {
    fields.reduce(0) { $0 << 6 | $1.rawValue }
  }

  private static func length(_ fields: [MapField]) -> UInt32 { fields.map(\.length).reduce(0, +) }
}
