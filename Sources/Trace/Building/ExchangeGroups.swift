internal import Wire

/// Open journeys, by the exchanges that they belong to, in the order in which these began.
///
/// They are chained, rather than listed: all are looked at time and again, and few of them told.
struct ExchangeGroups {
  /// One of them.
  struct Group {
    /// The indices of its first and its latest journey.
    let first: Int
    fileprivate(set) var latest: Int
    /// How many there are.
    fileprivate(set) var count = 1
    /// When something was heard of any of them last, nanoseconds since the epoch.
    fileprivate(set) var last: UInt64
  }

  private(set) var all: [Group] = []
  /// The journey of the same exchange that comes next; the latest has itself.
  private var next: [Int] = []
  /// The latest exchange of each key, by the keys' numbers.
  private var latest: [Int?]

  /// No exchanges, with room for so many journeys, and keys whose numbers are below another one.
  init(roomFor count: Int, keys: Int) {
    all.reserveCapacity(count)
    next.reserveCapacity(count)
    latest = [Int?](repeating: nil, count: keys)
  }

  /// Takes in the next journey, of the key with this number, of which something was heard from `start` to `last`. After
  /// `idle` nanoseconds of silence another exchange begins.
  mutating func append(_ key: Int?, from start: UInt64, to last: UInt64, idle: UInt64) {
    let index = next.count
    next.append(index)
    if let key, let group = latest[key], start <= all[group].last.later(by: idle) {
      next[all[group].latest] = index
      all[group].latest = index
      all[group].count += 1
      all[group].last = max(all[group].last, last)
    } else {
      if let key { latest[key] = all.count }
      all.append(Group(first: index, latest: index, last: last))
    }
  }

  /// The indices of its journeys, in their order.
  func members(_ group: Group) -> [Int] {
    [Int](capacity: group.count) { members in
      var index = group.first
      members.append(index)
      while index != group.latest {
        index = next[index]
        members.append(index)
      }
    }
  }
}
