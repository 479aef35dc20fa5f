import Wire

/// A list of prefixes of any content: reading it ends, and so does asking it about any address.
func fuzzPrefixList(_ bytes: [UInt8]) {
  let (list, faults) = PrefixList.parse(String(decoding: bytes, as: UTF8.self))
  _ = faults.map { "\($0)" }
  for address in [0, 1, 0x0a00_0001, 0xc0a8_4501, .max] as [UInt32] {
    precondition(list.decision(v4: address) == list.decision(.v4(address)))
  }
  for address in [0, 1, 0xfd << 120, .max] as [UInt128] {
    precondition(list.decision(v6: address) == list.decision(.v6(address)))
  }
}
