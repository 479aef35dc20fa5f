package import Trace

/// Traffic that is followed: a file that grows, or what comes in.
package protocol FollowedTraffic: AnyObject {
  /// Readable when there is more; nil if that is only seen by looking.
  var fileDescriptor: Int32? { get }
  /// From now on nothing new comes, but what is waiting.
  func stopListening()
  /// Hands on what is new, or a part of it; returns whether that was all.
  func read(_ body: (SessionDecoder.Element) throws -> Void) throws -> Bool
}
