import Testing
import Trace

struct EarliestFirstTests {
  /// What comes out is in order of times, and of one time in that of numbers, whatever went in.
  @Test func inOrder() {
    var numbers = SystemRandomNumberGenerator()
    for count in [0, 1, 2, 3, 17, 200] {
      let times = (0..<count).map { _ in UInt64.random(in: 0..<20, using: &numbers) }
      var order = EarliestFirst()
      for number in times.indices { order.insert(number, at: times[number]) }
      var found: [Int] = []
      while let first = order.first {
        found.append(first)
        order.removeFirst()
      }
      #expect(found == times.indices.sorted { (times[$0], $0) < (times[$1], $1) })
    }
  }

  /// The first one may go to another time, as a file does whose next message is later.
  @Test func moved() {
    var order = EarliestFirst()
    for number in 0..<3 { order.insert(number, at: UInt64(number)) }
    order.moveFirst(to: 1)
    #expect(order.first == 0)
    order.moveFirst(to: 5)
    #expect(order.first == 1)
  }
}
