internal import Glibc
internal import Wire

/// What `DropWatch` has to know of a kernel: where it keeps what is read, and what its reasons are called. To find that out
/// takes reading megabytes of types, so it is kept under what tells this kernel from others.
struct DropLayout: Equatable {
  var layout: DropProgram.Layout
  /// The reasons, by their numbers.
  var reasons: [UInt32: String]

  /// Of the kernel that runs. What is in `directory` is believed where it is of this kernel, and nobody else's doing;
  /// what cannot be kept there is found out again the next time.
  static func ofThisKernel(keptIn directory: String?) throws(KernelError) -> DropLayout {
    guard let directory, let kernel = KernelTypes.identity else {
      return try DropLayout(KernelTypes.read())
    }
    let path = "\(directory)/kernel-types"
    if let kept = try? StateFile.read(path), let known = DropLayout(kept, of: kernel) {
      return known
    }
    let found = try DropLayout(KernelTypes.read())
    try? StateFile.write(found.text(of: kernel), to: path)
    return found
  }

  /// Throws with the name of what the types do not have.
  init(_ types: BTF) throws(KernelError) {
    layout = try DropProgram.Layout(types)
    let prefix = "SKB_DROP_REASON_"
    reasons = [:]
    for (number, name) in types.enumeration("skb_drop_reason") ?? [:] {
      reasons[UInt32(truncatingIfNeeded: number)] =
        name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    }
  }

  // MARK: As text

  /// What begins the first line; behind it stands the kernel.
  private static let head = "nftrace kernel types 1 "

  /// A line that says of which kernel it is, one of the offsets, and one of each reason.
  func text(of kernel: String) -> String {
    let numbers = layout.numbers.map { $0.map(String.init) ?? "-" }.joined(separator: " ")
    let names = reasons.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return ([Self.head + kernel, numbers] + names).joined(separator: "\n") + "\n"
  }

  /// What `text(of:)` made for the same kernel; nil for any other text.
  init?(_ text: String, of kernel: String) {
    let lines = text.split(separator: "\n")
    guard lines.count >= 2, lines[0] == Self.head + kernel else { return nil }
    var numbers: [Int?] = []
    for word in lines[1].split(separator: " ") {
      guard word == "-" || Int(word) != nil else { return nil }
      numbers.append(Int(word))
    }
    guard let layout = DropProgram.Layout(numbers) else { return nil }
    self.layout = layout
    reasons = [:]
    for line in lines.dropFirst(2) {
      let words = line.split(separator: " ")
      guard words.count == 2, let number = UInt32(words[0]) else { return nil }
      reasons[number] = String(words[1])
    }
  }
}

extension DropProgram.Layout {
  /// All of it, in one order.
  fileprivate var numbers: [Int?] {
    [
      buffer.device, buffer.socket, buffer.route, buffer.head, buffer.networkHeader, buffer.tail,
      deviceIndex, deviceNamespace, socketNamespace, routeDevice, namespaceNumber, reasonArgument,
    ]
  }

  /// What `numbers` are of; nil where one is missing that no kernel does without.
  fileprivate init?(_ numbers: [Int?]) {
    guard numbers.count == 12, let device = numbers[0], let socket = numbers[1],
      let head = numbers[3], let networkHeader = numbers[4], let tail = numbers[5],
      let deviceIndex = numbers[6], let deviceNamespace = numbers[7],
      let socketNamespace = numbers[8], let routeDevice = numbers[9],
      let namespaceNumber = numbers[10]
    else { return nil }
    self.init(
      buffer: Offsets(
        device: device, socket: socket, route: numbers[2], head: head,
        networkHeader: networkHeader, tail: tail),
      deviceIndex: deviceIndex, deviceNamespace: deviceNamespace,
      socketNamespace: socketNamespace, routeDevice: routeDevice,
      namespaceNumber: namespaceNumber, reasonArgument: numbers[11])
  }
}
