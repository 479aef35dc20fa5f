import Testing
import Wire

/// Numbers that others wrote are added up and taken from each other without an end of the program.
struct ClampedTests {
  @Test func sumsEndWhereTheTypeEnds() {
    #expect(UInt8(200).adding(clamped: 55) == 255)
    #expect(UInt8(200).adding(clamped: 56) == 255)
    #expect(Int8(-100).adding(clamped: -100) == -128)
    #expect(Int8(100).adding(clamped: 100) == 127)
    #expect(Int8(100).adding(clamped: -100) == 0)
  }

  @Test func differencesEndWhereTheTypeEnds() {
    #expect(UInt8(5).subtracting(clamped: 6) == 0)
    #expect(UInt8(6).subtracting(clamped: 5) == 1)
    #expect(Int8(-100).subtracting(clamped: 100) == -128)
    #expect(Int8(100).subtracting(clamped: -100) == 127)
  }

  @Test func productsEndWhereTheTypeEnds() {
    #expect(UInt8(16).multiplied(clamped: 15) == 240)
    #expect(UInt8(16).multiplied(clamped: 16) == 255)
    #expect(Int8(16).multiplied(clamped: -16) == -128)
    #expect(Int8(-16).multiplied(clamped: -16) == 127)
  }

  @Test func anyNumberHasANearestWholeOne() {
    #expect(Int8(nearest: 2.5) == 3)
    #expect(Int8(nearest: -1e300) == -128)
    #expect(UInt64(nearest: .infinity) == .max)
    #expect(UInt64(nearest: -0.7) == 0)
    #expect(Int(nearest: .nan) == 0)
  }

  @Test func timesAreInAnyOrder() {
    #expect(UInt64(7).since(3) == 4)
    #expect(UInt64(3).since(7) == 0)
    #expect((UInt64.max - 1).later(by: 2) == .max)
    #expect(UInt64(1).earlier(by: 2) == 0)
  }
}
