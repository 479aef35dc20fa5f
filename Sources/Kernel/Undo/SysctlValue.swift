/// A setting and a value that it is to have.
struct SysctlValue: Equatable {
  var setting: Sysctl
  var value: String
}
