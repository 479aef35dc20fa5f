internal import Glibc
internal import Synchronization

/// The parts of a work that need nothing of each other: each is done by one thread at a time, and all by as many as there
/// are processors.
///
///     let parts = try ParallelParts(files.count) { try Reader(files[$0]) }
///     try parts.each(beside: { try print(lines) }) { number, reader in reader.readOn() }
///     for number in 0..<parts.count { lines += parts.with(number) { $0.takeLines() } }
///
/// Threads wait between rounds, and end with it. Where there are none to be had, the caller does all.
package final class ParallelParts<Part> {
  /// What one thread at a time has.
  private final class Holder: @unchecked Sendable {
    // Sound: in a round, who claims the part is the only one that reaches it; between rounds, the caller is, which has waited
    // until all that were claimed are done.
    var part: Part

    init(_ part: Part) { self.part = part }
  }

  private let holders: [Holder]
  private let crew: Crew

  /// Parts that are done at the same time at most.
  private static var mostThreads: Int { 8 }

  /// Makes so many parts, each by its number.
  package init<Failure: Error>(
    _ count: Int, _ make: (Int) throws(Failure) -> Part
  ) throws(Failure) {
    var holders: [Holder] = []
    for number in 0..<count { holders.append(Holder(try make(number))) }
    self.holders = holders
    let threads = max(min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), count, Self.mostThreads), 1)
    crew = Crew(parts: count, threads: threads)
  }

  deinit { crew.end() }

  /// How many there are.
  package var count: Int { holders.count }

  /// Has one of them looked at, or changed, by the caller: between two rounds.
  package func with<Result, Failure: Error>(
    _ number: Int, _ body: (inout Part) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(&holders[number].part)
  }

  /// Has `body` do with each part, by its number, what is to be done. Returns when all is done.
  package func each(_ body: @escaping @Sendable (Int, inout Part) -> Void) {
    each(beside: {}, body)
  }

  /// Has `body` do with each part, by its number, what is to be done, and the caller `work` first. Returns when all is done.
  /// Throws what `work` throws: then parts that were not begun are left as they are.
  package func each<Failure: Error>(
    beside work: () throws(Failure) -> Void, _ body: @escaping @Sendable (Int, inout Part) -> Void
  ) throws(Failure) {
    let holders = holders
    crew.begin { number in body(number, &holders[number].part) }
    do throws(Failure) {
      try work()
    } catch {
      crew.finish(isStopped: true)
      throw error
    }
    crew.finish()
  }
}

/// Threads that do the parts of a work, round by round.
private final class Crew: Sendable {
  private typealias Round = (number: Int, body: @Sendable (Int) -> Void)

  /// What is to be done now; nil when nothing more is.
  private let round = Guarded<Round?>(nil)
  /// Of each part, the last round in which it was somebody's.
  private let claims: [Claim]
  /// Parts of the round that are not done yet.
  private let left = Atomic<Int>(0)
  private let threads: Int
  /// All but the caller's.
  private let others = Guarded<[pthread_t]>([])
  /// That there is a round, for each thread; and that it is over.
  private let (isBegun, isOver) = (Semaphore(), Semaphore())

  private final class Claim: Sendable { let round = Atomic<Int>(0) }

  init(parts: Int, threads: Int) {
    claims = (0..<parts).map { _ in Claim() }
    self.threads = threads
  }

  /// Begins the next round, in which `body` is done with the number of each part.
  func begin(_ body: @escaping @Sendable (Int) -> Void) {
    left.store(claims.count, ordering: .releasing)
    round.withLock { $0 = (($0?.number ?? 0) + 1, body) }
    let others = others.withLock { others in
      if others.isEmpty { others = start(threads - 1) }
      return others.count
    }
    for _ in 0..<others { isBegun.post() }
  }

  /// Does what nobody has begun, and waits for what others have. If it is stopped, nothing is done that was not begun.
  func finish(isStopped: Bool = false) {
    if claims.isEmpty { return }
    guard let round = round.withLock({ $0 }) else { return }
    run(isStopped ? (round.number, { _ in }) : round, from: threads - 1)
    isOver.wait()
  }

  /// Nothing more is to be done.
  func end() {
    round.withLock { $0 = nil }
    let others = others.withLock { others in
      defer { others = [] }
      return others
    }
    for _ in others { isBegun.post() }
    for thread in others { pthread_join(thread, nil) }
  }

  /// Does parts that nobody has, from a place of its own on: so a part is mostly done by the thread that did it before.
  private func run(_ round: Round, from place: Int) {
    for step in claims.indices {
      let number = (place * claims.count / threads + step) % claims.count
      let (isMine, _) = claims[number].round.compareExchange(
        expected: round.number - 1, desired: round.number, ordering: .acquiringAndReleasing)
      guard isMine else { continue }
      round.body(number)
      if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { isOver.post() }
    }
  }

  // MARK: Threads

  /// What a thread is started with.
  private final class Member: Sendable {
    let crew: Crew
    let place: Int

    init(_ crew: Crew, _ place: Int) { (self.crew, self.place) = (crew, place) }

    func work() {
      while true {
        crew.isBegun.wait()
        guard let round = crew.round.withLock({ $0 }) else { return }
        crew.run(round, from: place)
      }
    }
  }

  /// Starts so many threads; fewer where no more are to be had.
  private func start(_ count: Int) -> [pthread_t] {
    var started: [pthread_t] = []
    for place in 0..<count {
      var thread = pthread_t()
      let unmanaged = unsafe Unmanaged.passRetained(Member(self, place))
      // Sound: the thread releases the reference that was retained for it.
      let failed = unsafe pthread_create(
        &thread, nil,
        { pointer in
          unsafe Unmanaged<Member>.fromOpaque(pointer!).takeRetainedValue().work()
          return nil
        }, unmanaged.toOpaque())
      guard failed == 0 else {
        unsafe unmanaged.release()
        break
      }
      started.append(thread)
    }
    return started
  }
}

/// What threads wait for: sem_init(3).
@safe private final class Semaphore: @unchecked Sendable {
  // Sound: its memory is its own, stays where it is, and is given back when nobody has a reference any more; a semaphore is
  // made to be reached by several threads.
  private let pointer = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  /// A semaphore of which so many were posted.
  init(_ count: UInt32 = 0) {
    // Sound: memory that was just allocated for one.
    unsafe sem_init(pointer, 0, count)
  }

  deinit {
    // Sound: who has no reference does not wait either, and nobody has it any more.
    unsafe sem_destroy(pointer)
    unsafe pointer.deallocate()
  }

  func post() {
    // Sound: `init` made it one, and `deinit` has not run.
    unsafe sem_post(pointer)
  }

  /// Waits for one that was posted.
  func wait() {
    // Sound: as in `post`.
    while unsafe sem_wait(pointer) != 0 {}
  }
}

/// What one thread at a time has. (The thread sanitizer knows semaphores; Swift's own mutex it does not.)
private final class Guarded<Value>: @unchecked Sendable {
  // Sound: it is reached between `wait` and `post` of a semaphore of one alone.
  private var value: Value
  private let key = Semaphore(1)

  init(_ value: Value) { self.value = value }

  func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    key.wait()
    defer { key.post() }
    return body(&value)
  }
}
