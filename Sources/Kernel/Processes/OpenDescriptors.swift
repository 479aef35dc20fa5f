internal import Wire

/// What programs have open, found out when somebody wants to know.
final class OpenDescriptors {
  /// Who finds it out; nil where this process does itself.
  var deputy: Deputy?
  private var last: (survey: DescriptorSurvey, time: UInt64)?

  /// How long it is good to know, in nanoseconds: probes that are lost one after the other need not each look at
  /// all programs.
  private static let age: UInt64 = 1_000_000_000

  /// As it is now, or was a moment ago.
  var survey: DescriptorSurvey {
    let now = Clock.realtime
    if let last, now.since(last.time) < Self.age { return last.survey }
    let survey = deputy?.descriptors() ?? .now()
    last = (survey, now)
    return survey
  }
}
