#!/usr/bin/env python3
"""A collector for tests: takes what is exported over OTLP/HTTP, and writes it down as it understands it.

  receiver.py ADDRESS PORT FILE [MODE]

FILE gets a line of JSON for each request: its path, its header, and what is in it, in OTLP's JSON. With the package
opentelemetry-proto, its decoder reads that; without, one of this file's own, which knows the fields that nftrace writes
and refuses all others. MODE is what it answers: ok, partial, unavailable (503 twice, then ok), a status code, garbage,
or hang. It prints "ready" when it listens.
"""
import base64
import http.server
import json
import struct
import sys
import time

try:
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceRequest, ExportTraceServiceResponse)
    official = True
except ImportError:
    official = False

# Of each message: field number -> name, what it is, whether there may be several.
ANY = {1: ("stringValue", "text"), 2: ("boolValue", "bool"), 3: ("intValue", "int"), 4: ("doubleValue", "double"),
       5: ("arrayValue", {})}
ANY[5][1][1] = ("values", ANY, True)
PAIR = {1: ("key", "text"), 2: ("value", ANY)}
SCOPE = {1: ("name", "text"), 2: ("version", "text")}
RESOURCE = {1: ("attributes", PAIR, True)}
EVENT = {1: ("timeUnixNano", "fixed64"), 2: ("name", "text"), 3: ("attributes", PAIR, True)}
STATUS = {2: ("message", "text"), 3: ("code", "enum")}
SPAN = {1: ("traceId", "hex"), 2: ("spanId", "hex"), 4: ("parentSpanId", "hex"), 5: ("name", "text"),
        6: ("kind", "enum"), 7: ("startTimeUnixNano", "fixed64"), 8: ("endTimeUnixNano", "fixed64"),
        9: ("attributes", PAIR, True), 11: ("events", EVENT, True), 15: ("status", STATUS)}
LOG = {1: ("timeUnixNano", "fixed64"), 2: ("severityNumber", "enum"), 3: ("severityText", "text"), 5: ("body", ANY),
       6: ("attributes", PAIR, True), 9: ("traceId", "hex"), 10: ("spanId", "hex"),
       11: ("observedTimeUnixNano", "fixed64"), 12: ("eventName", "text")}
TRACES = {1: ("resourceSpans", {1: ("resource", RESOURCE), 2: (
    "scopeSpans", {1: ("scope", SCOPE), 2: ("spans", SPAN, True)}, True)}, True)}
LOGS = {1: ("resourceLogs", {1: ("resource", RESOURCE), 2: (
    "scopeLogs", {1: ("scope", SCOPE), 2: ("logRecords", LOG, True)}, True)}, True)}


def varint(octets, at):
    number = shift = 0
    while True:
        number |= (octets[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if octets[at - 1] < 0x80:
            return number, at


def decode(octets, fields):
    out, at = {}, 0
    while at < len(octets):
        tag, at = varint(octets, at)
        name, kind, *several = fields[tag >> 3]
        if tag & 7 == 0:
            value, at = varint(octets, at)
            value = {"bool": bool(value), "enum": value, "int": str(value - (value >> 63 << 64))}[kind]
        elif tag & 7 == 1:
            raw, at = octets[at:at + 8], at + 8
            value = struct.unpack("<d", raw)[0] if kind == "double" else str(struct.unpack("<Q", raw)[0])
        elif tag & 7 == 2:
            length, at = varint(octets, at)
            raw, at = octets[at:at + length], at + length
            assert len(raw) == length
            value = raw.decode() if kind == "text" else raw.hex() if kind == "hex" else decode(raw, kind)
        else:
            raise ValueError(f"wire type {tag & 7}")
        if several:
            out.setdefault(name, []).append(value)
        else:
            out[name] = value
    return out


def understood(path, body):
    if not official:
        return decode(body, TRACES if path.endswith("/v1/traces") else LOGS)
    message = (ExportTraceServiceRequest if path.endswith("/v1/traces") else ExportLogsServiceRequest)()
    message.ParseFromString(body)
    assert message.SerializeToString() == body, "it is not written as the official encoder does"

    def hexadecimal(value):
        """Protobuf's JSON has octets in Base64, OTLP's in hexadecimal."""
        if isinstance(value, list):
            return [hexadecimal(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {name: base64.b64decode(item).hex() if name in ("traceId", "spanId", "parentSpanId")
                else hexadecimal(item) for name, item in value.items()}
    return hexadecimal(MessageToDict(message, use_integers_for_enums=True))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    count = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        entry = {"path": self.path, "headers": dict(self.headers), "official": official}
        try:
            assert self.headers["Content-Type"] == "application/x-protobuf"
            entry["body"] = understood(self.path, body)
        except Exception as fault:
            entry["fault"] = repr(fault)
        with open(sys.argv[3], "a") as file:
            file.write(json.dumps(entry) + "\n")
        Handler.count += 1
        if mode == "hang":
            time.sleep(60)
        elif mode == "garbage":
            self.wfile.write(b"220 mail.example.org ESMTP\r\n")
            self.close_connection = True
        elif mode == "unavailable" and Handler.count <= 2:
            self.answer(503)
        elif mode == "partial":
            # partial_success { rejected_spans: 2, error_message: "too old" }
            self.answer(200, b"\x0a\x0b\x08\x02\x12\x07too old")
        else:
            self.answer(int(mode) if mode.isdigit() else 200)

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


mode = sys.argv[4] if len(sys.argv) > 4 else "ok"
server = http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
print("ready", flush=True)
server.serve_forever()
