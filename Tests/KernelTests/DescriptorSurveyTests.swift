import Testing
import Trace

@testable import Kernel

@Suite("What programs have open, as a deputy says it")
struct DescriptorSurveyTests {
  @Test("comes back as it was") func back() throws {
    let line =
      #"{"sockets":{"4711":["nginx","/system.slice/nginx.service"],"12":["sshd",null]},"#
      + #""devices":{"tun0":["openvpn",null]},"programs":{"7":"xdp_drop"}}"#
    let survey = try #require(DescriptorSurvey(json: JSONValue(line)))
    #expect(survey.sockets[4711]?.program == "nginx")
    #expect(survey.sockets[4711]?.group == "/system.slice/nginx.service")
    #expect(survey.sockets[12]?.program == "sshd")
    #expect(survey.sockets[12]?.group == nil)
    #expect(survey.devices["tun0"]?.program == "openvpn")
    #expect(survey.programs[7] == "xdp_drop")
    let again = try #require(DescriptorSurvey(json: JSONValue(survey.json.line)))
    #expect(again.sockets.count == 2 && again.devices.count == 1 && again.programs.count == 1)
  }

  @Test(
    "is nothing where it is something else",
    arguments: [
      "[]", #"{"sockets":{"a":["b",null]}}"#, #"{"sockets":{"1":"b"}}"#,
      #"{"programs":{"1":["b"]}}"#,
    ]) func otherwise(_ line: String) throws
  {
    #expect(DescriptorSurvey(json: try JSONValue(line)) == nil)
  }
}
