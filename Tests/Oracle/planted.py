"""Lies that the oracle must notice: each changes what nftrace says, or what it leaves behind, in one way."""

import json, os, subprocess, sys

# By the aspect under which it must be noticed.
LIES = ("outcome", "hooks", "interfaces", "translations", "rule", "findings", "remedy", "state")


def lie(aspect, report):
    """The report with a lie of this aspect, as far as it has what can be lied about."""
    probe = report["probes"][0]
    requests = [j for j in probe["journeys"] if j["direction"] == "request" and j["hops"]]
    errors = [f for f in report["findings"] if f["severity"] == "error"]
    if aspect == "outcome":
        probe["outcome"] = "lost" if probe["outcome"] == "replied" else "replied"
    elif aspect == "hooks":
        for journey in requests:
            journey["hops"] = [h for h in journey["hops"] if h["hook"] != "prerouting"]
    elif aspect == "interfaces":
        for journey in requests:
            if journey["end"]["out"]:
                journey["end"]["out"] = "eth7"
    elif aspect == "translations":
        for journey in requests:
            journey["hops"][-1]["source"] = "192.0.2.77"
    elif aspect == "rule":
        for finding in errors:
            if finding["at"] and finding["at"]["chain"]:
                finding["at"]["chain"] += "x"
    elif aspect == "findings":
        known = {"severity": "warning", "confidence": "certain", "summary": "a lie", "evidence": [],
                 "remedy": None, "at": None, "id": "no-carrier"}
        report["findings"] = report["findings"] + [known] if not errors else []
    elif aspect == "remedy":
        for finding in errors:
            if finding["remedy"]:
                finding["remedy"] = "true"
    return report


def main():
    """Stands for nftrace: `planted.py NFTRACE ASPECT ARGUMENT...`."""
    program, aspect, *arguments = sys.argv[1:]
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode in (0, 1):
        if aspect == "state":
            name = arguments[arguments.index("--netns") + 1]
            subprocess.run(["ip", "-n", name, "rule", "add", "pref", "9999", "lookup", "main"])
        print(json.dumps(lie(aspect, json.loads(done.stdout))))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
