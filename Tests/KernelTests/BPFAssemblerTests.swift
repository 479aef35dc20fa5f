import Testing

@testable import Kernel

struct BPFAssemblerTests {
  /// Opcodes and layout as in RFC 9669, each instruction eight octets with the least significant
  /// first.
  @Test func encodings() {
    var program = BPFAssembler()
    let end = program.label()
    program.move(.r6, .r1)
    program.load(.u64, .r7, .r6, 16)
    program.store(.u32, .stackEnd, -8, .r7)
    program.store(.u64, .stackEnd, -16, value: -1)
    program.jump(.r7, .equal, 5, to: end)
    program.jump32(.r7, .notEqual, 0xffff_fffe, to: end)
    program.operate(.add, .r2, -240)
    program.and32(.r1, 0xff)
    program.subtract32(.r2, .r9)
    program.loadMap(.r1, 7)
    program.call(.ringBufferOutput)
    program.atomicAdd(.r1, 0, .r2)
    program.jump(to: end)
    program.operate(.and, .r8, -2)
    program.swap32(.r1)
    program.jump32(.r1, .less, 7, to: end)
    program.place(end)
    program.exit()
    #expect(
      program.assembled().map { String($0, radix: 16) } == [
        "16bf", "106779", "fff87a63", "fffffffffff00a7a", "5000c0715", "fffffffe000b0756",
        "ffffff1000000207", "ff00000154", "921c", "700001118", "0", "8200000085", "21db", "30005",
        "fffffffe00000857", "20000001dc", "7000001a6", "95",
      ])
  }
}
