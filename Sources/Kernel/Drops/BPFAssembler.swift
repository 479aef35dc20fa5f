/// Writes a program for the kernel's BPF machine, one instruction after the other:
/// Documentation/bpf/standardization/instruction-set.rst of the kernel (RFC 9669).
///
///   octet 0      1             2..3            4..7
///  +----------+------+------+---------------+------------------+
///  |  opcode  | dst  | src  | offset        | immediate value  |
///  +----------+------+------+---------------+------------------+
///
/// Only what nftrace's own programs need is here. Jumps lead forwards, to labels placed later.
struct BPFAssembler {
  /// r1..r5 are the arguments of a call and lost by it, r6..r9 are kept, r0 is a result, r10 is the
  /// end of the stack of 512 octets.
  enum Register: UInt8 {
    case r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, stackEnd
  }

  /// How much a load or store moves.
  enum Width: UInt8 {
    case u32 = 0x00
    case u16 = 0x08
    case u8 = 0x10
    case u64 = 0x18
  }

  /// Conditions of jumps.
  enum Condition: UInt8 {
    case equal = 0x10
    case greater = 0x20
    case less = 0xa0
    case notEqual = 0x50
    case signedLessOrEqual = 0xd0
  }

  /// Arithmetic on 64 bits.
  enum Operation: UInt8 {
    case add = 0x00
    case and = 0x50
    case shiftRight = 0x70
    case move = 0xb0
  }

  /// Functions of the kernel that a program may call: `BPF_FUNC_…` of <linux/bpf.h>.
  enum Helper: Int32 {
    /// Nanoseconds of CLOCK_MONOTONIC.
    case ktimeGetNanoseconds = 5
    /// (packet, interface, flags): sends a copy of the packet elsewhere.
    case cloneRedirect = 13
    /// (to, octets, from): a failed read fills `to` with zeros.
    case probeReadKernel = 113
    /// (map, data, octets, flags): not 0 when the ring is full.
    case ringBufferOutput = 130
    /// (to, octets, format, arguments, octets of arguments), from Linux 5.13 on.
    case snprintf = 165
  }

  /// A place to jump to.
  struct Label {
    fileprivate let number: Int
  }

  private var instructions: [UInt64] = []
  private var labels = 0
  /// The instructions that jump to each label.
  private var jumps: [Int: [Int]] = [:]

  private enum Opcode {
    static let subtract32: UInt8 = 0x1c
    static let and32: UInt8 = 0x54
    static let toNetworkOrder: UInt8 = 0xdc
    static let loadImmediate64: UInt8 = 0x18
    static let load: UInt8 = 0x61
    static let storeImmediate: UInt8 = 0x62
    static let store: UInt8 = 0x63
    static let jump: UInt8 = 0x05
    static let jumpImmediate: UInt8 = 0x05
    static let jump32Immediate: UInt8 = 0x06
    static let aluImmediate: UInt8 = 0x07
    static let aluRegister: UInt8 = 0x0f
    static let call: UInt8 = 0x85
    static let exit: UInt8 = 0x95
    static let atomic64: UInt8 = 0xdb
  }

  private mutating func emit(
    _ opcode: UInt8, _ to: Register = .r0, _ from: UInt8 = 0, _ offset: Int = 0, _ value: Int32 = 0
  ) {
    instructions.append(
      UInt64(opcode) | UInt64(to.rawValue) << 8 | UInt64(from) << 12
        | UInt64(UInt16(truncatingIfNeeded: offset)) << 16
        | UInt64(UInt32(bitPattern: value)) << 32)
  }

  // MARK: Moving

  /// to = from
  mutating func move(_ to: Register, _ from: Register) {
    emit(Opcode.aluRegister | Operation.move.rawValue, to, from.rawValue)
  }

  /// to = value
  mutating func move(_ to: Register, _ value: Int32) { operate(.move, to, value) }

  /// to = memory at from + offset, upper bits zero.
  mutating func load(_ width: Width, _ to: Register, _ from: Register, _ offset: Int) {
    emit(Opcode.load | width.rawValue, to, from.rawValue, offset)
  }

  /// Memory at to + offset = from
  mutating func store(_ width: Width, _ to: Register, _ offset: Int, _ from: Register) {
    emit(Opcode.store | width.rawValue, to, from.rawValue, offset)
  }

  /// Memory at to + offset = value
  mutating func store(_ width: Width, _ to: Register, _ offset: Int, value: Int32) {
    emit(Opcode.storeImmediate | width.rawValue, to, 0, offset, value)
  }

  /// to = a map, for a helper's argument (`BPF_PSEUDO_MAP_FD`).
  mutating func loadMap(_ to: Register, _ descriptor: Int32) {
    emit(Opcode.loadImmediate64, to, 1, 0, descriptor)
    emit(0)
  }

  /// to = the address of an array map's first value (`BPF_PSEUDO_MAP_VALUE`).
  mutating func loadAddress(_ to: Register, ofValueIn descriptor: Int32) {
    emit(Opcode.loadImmediate64, to, 2, 0, descriptor)
    emit(0)
  }

  // MARK: Computing

  /// to = to OP value, on 64 bits.
  mutating func operate(_ operation: Operation, _ to: Register, _ value: Int32) {
    emit(Opcode.aluImmediate | operation.rawValue, to, 0, 0, value)
  }

  /// to = to + from, on 64 bits.
  mutating func add(_ to: Register, _ from: Register) {
    emit(Opcode.aluRegister, to, from.rawValue)
  }

  /// to = to - from, on 32 bits; upper bits zero.
  mutating func subtract32(_ to: Register, _ from: Register) {
    emit(Opcode.subtract32, to, from.rawValue)
  }

  /// to = to & value, on 32 bits; upper bits zero.
  mutating func and32(_ to: Register, _ value: UInt32) {
    emit(Opcode.and32, to, 0, 0, Int32(bitPattern: value))
  }

  /// Reads the lower 32 bits as a number in network order; upper bits zero.
  mutating func swap32(_ register: Register) { emit(Opcode.toNetworkOrder, register, 0, 0, 32) }

  /// Memory at to + offset += from, 64 bits, atomically.
  mutating func atomicAdd(_ to: Register, _ offset: Int, _ from: Register) {
    emit(Opcode.atomic64, to, from.rawValue, offset)
  }

  // MARK: Going on

  /// Calls a function of the kernel; its result is in r0.
  mutating func call(_ helper: Helper) { emit(Opcode.call, .r0, 0, 0, helper.rawValue) }

  /// Ends the program; its result is in r0.
  mutating func exit() { emit(Opcode.exit) }

  /// A label to be placed later.
  mutating func label() -> Label {
    labels += 1
    return Label(number: labels)
  }

  /// Jumps that lead to `label` arrive here.
  mutating func place(_ label: Label) {
    for jump in jumps.removeValue(forKey: label.number) ?? [] {
      let distance = UInt64(instructions.count - jump - 1)
      // The kernel takes 4096 instructions from a program, so the distance has its 16 bits.
      instructions[jump] |= (distance & 0xffff) << 16
    }
  }

  /// Jumps always.
  mutating func jump(to label: Label) {
    jumps[label.number, default: []].append(instructions.count)
    emit(Opcode.jump)
  }

  /// Jumps if the 64 bits of the register compare so to `value`.
  mutating func jump(
    _ register: Register, _ condition: Condition, _ value: Int32, to label: Label
  ) {
    jumps[label.number, default: []].append(instructions.count)
    emit(Opcode.jumpImmediate | condition.rawValue, register, 0, 0, value)
  }

  /// Jumps if the lower 32 bits of the register compare so to `value`.
  mutating func jump32(
    _ register: Register, _ condition: Condition, _ value: UInt32, to label: Label
  ) {
    jumps[label.number, default: []].append(instructions.count)
    emit(Opcode.jump32Immediate | condition.rawValue, register, 0, 0, Int32(bitPattern: value))
  }

  /// The program. All labels that are jumped to must have been placed.
  func assembled() -> [UInt64] {
    precondition(jumps.isEmpty, "a jump leads nowhere")
    return instructions
  }
}
