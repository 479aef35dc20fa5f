import Wire

/// A description of types of any content: making the index ends, and so does every lookup.
func fuzzBTF(_ bytes: [UInt8]) {
  guard let types = try? BTF(bytes) else { return }
  for path in ["s.a", "s.b.c", "sk_buff.dev", "sk_buff", "", ".", "s."] { _ = types.field(path) }
  for name in ["e", "skb_drop_reason"] { _ = types.enumeration(name) }
  for name in ["f", "btf_trace_kfree_skb"] { _ = types.parameters(ofPointer: name) }
}
