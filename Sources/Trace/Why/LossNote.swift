/// What explains what the user sees of a packet, and only matters because it was lost.
protocol LossNote: Diagnosis {
  static func examine(_ lost: LostPacket) -> Finding?
}

extension LossNote {
  static var kind: DiagnosisKind { .lossNote(Self.self) }
}
