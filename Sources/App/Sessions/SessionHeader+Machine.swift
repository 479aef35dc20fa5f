package import Kernel
package import Trace

extension SessionHeader {
  /// Notes when, in nanoseconds since the epoch, and on which machine it begins.
  package mutating func begin(at time: UInt64, on machine: Machine.Name) {
    (started, host, boot) = (time, machine.host, machine.boot)
  }
}
