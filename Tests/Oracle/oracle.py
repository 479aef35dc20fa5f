"""Random networks, in which nftrace must agree with witnesses that share no code with it.

usage: scripts/oracle [--seed N] [--count M] [--jobs J] [--program FILE] [--script] [-v]

Makes M networks (default 200) of the seeds from N on (default 1), each in namespaces of its own. A client
asks something, watched by taps, traces and counters; then nftrace asks the same, and is compared: outcome,
hooks, interfaces, translations, deciding rule, findings, the remedy in a fresh copy, the state before and
after. What differs is made as small as it still differs, and printed as a shell script.

  --jobs J        how many at once (default: as many as there are processors)
  --program FILE  the nftrace to ask (default: .build/release/nftrace, else .build/debug/nftrace)
  --copies        ask in a copy of the router as well: what it makes of the probe is to be the same
  --script        print the script of seed N, and run nothing
  --planted       have each of some lies told by a false nftrace, and see that they are noticed
  --no-shrink     print differences as they are
  --json FILE     write what was found of each seed to FILE, a line each
  -v              tell of every case

It ends with 0 if all agree, 1 if not, 2 if it is used wrongly, 3 if it may not do this. Root alone may.
"""

import argparse, concurrent.futures, ctypes, json, os, shutil, sys, tempfile, traceback

import cases, judge, planted, prober, shrink

FOLDER = os.path.dirname(os.path.abspath(__file__))
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18


def seclude():
    """A mount and a network namespace for this worker alone: whatever happens to it, its networks go."""
    if prober.LIBC.unshare(CLONE_NEWNS | prober.CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    os.makedirs("/run/netns", exist_ok=True)
    for source, place, kind, flags in ((b"none", b"/", None, MS_REC | MS_PRIVATE),
                                       (b"oracle", b"/run/netns", b"tmpfs", 0)):
        if prober.LIBC.mount(source, place, kind, flags, None):
            raise OSError(ctypes.get_errno(), "mount")


def work(seed, program, shrinking, copies=False):
    """`program` is the words that nftrace is called by. What became of a seed, as a dictionary. It disagrees only if it does so twice."""
    prefix, folder = f"nfo{os.getpid()}", tempfile.mkdtemp()
    case = cases.Maker(seed).case()
    found = {"seed": seed, "unbuilt": None, "differences": {}, "compared": [], "vague": False}
    try:
        verdict = judge.judge(case, prefix, program, folder, copies)
        if verdict.differences:
            verdict = judge.judge(case, prefix, program, folder, copies)
        found |= {"differences": verdict.differences, "compared": sorted(verdict.compared),
                  "vague": verdict.vague, "truth": verdict.truth, "told": verdict.told,
                  "remedy": verdict.remedy, "way": " ".join(case.probe.arguments())}
        if verdict.differences and shrinking:
            aspect = next(a for a in judge.ASPECTS if a in verdict.differences)
            small, verdict = shrink.smallest(case, aspect, verdict, lambda c: judge.judge(c, prefix, program, folder, copies))
            found |= {"differences": verdict.differences, "truth": verdict.truth, "told": verdict.told}
            case = small
        if verdict.differences:
            found["script"] = shrink.standing_alone(case, verdict)
    except judge.Unbuilt as error:
        found["unbuilt"] = f"not built: {error}"
    except judge.Elsewhere:
        found["unbuilt"] = "the client's packet did not come to the router"
    except Exception:
        found["differences"] = {"oracle": [traceback.format_exc()[-600:]]}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def main():
    parser = argparse.ArgumentParser(usage="scripts/oracle [OPTION]...", add_help=False)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--copies", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--program")
    parser.add_argument("--script", action="store_true")
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("-v", action="store_true", dest="verbose")
    parser.add_argument("-h", "--help", action="store_true")
    options = parser.parse_args()
    if options.help:
        print(__doc__.strip())
        return 0
    if options.script:
        print(shrink.standing_alone(cases.Maker(options.seed).case(), None))
        return 0
    if os.geteuid():
        print("scripts/oracle needs root, for network namespaces", file=sys.stderr)
        return 3
    built = [os.path.join(FOLDER, "../../.build", kind, "nftrace") for kind in ("release", "debug")]
    program = options.program or next((p for p in built if os.path.exists(p)), built[0])
    if not os.path.exists(program):
        print(f"{os.path.normpath(program)} is not there: scripts/build-release makes it", file=sys.stderr)
        return 3
    program = os.path.abspath(program)
    return lies(options, program) if options.planted else campaign(options, program)


def lies(options, program):
    """Every kind of lie must be noticed, as what it is, in one of the networks."""
    missed = 0
    with concurrent.futures.ProcessPoolExecutor(options.jobs, initializer=seclude) as pool:
        for aspect in planted.LIES:
            words = [sys.executable, os.path.join(FOLDER, "planted.py"), program, aspect]
            waiting = [pool.submit(notices, seed, aspect, words)
                       for seed in range(options.seed, options.seed + options.count)]
            noticed = any(task.result() for task in concurrent.futures.as_completed(waiting))
            for task in waiting:
                task.cancel()
            missed += not noticed
            print(f"{aspect}: " + ("noticed" if noticed else "not noticed"), flush=True)
    return 1 if missed else 0


def notices(seed, aspect, words):
    return aspect in work(seed, words, False)["differences"]


def campaign(options, program):
    seeds = range(options.seed, options.seed + options.count)
    agreed, compared = dict.fromkeys(judge.ASPECTS, 0), dict.fromkeys(judge.ASPECTS, 0)
    unbuilt = wrong = vague = unanswered = remedies = 0
    record = open(options.json, "w") if options.json else None
    with concurrent.futures.ProcessPoolExecutor(options.jobs, initializer=seclude) as pool:
        waiting = [pool.submit(work, seed, [program], not options.no_shrink, options.copies) for seed in seeds]
        for task in concurrent.futures.as_completed(waiting):
            found = task.result()
            if record:
                record.write(json.dumps(found) + "\n")
                record.flush()
            if found["unbuilt"] is not None:
                unbuilt += 1
                if options.verbose:
                    print(f"seed {found['seed']}: {found['unbuilt']}")
                continue
            for aspect in found["compared"]:
                compared[aspect] += 1
                agreed[aspect] += aspect not in found["differences"]
            vague += found["vague"]
            unanswered += not found.get("truth", "").startswith("replied")
            remedies += bool(found.get("remedy"))
            if found["differences"]:
                wrong += 1
                print(f"\nseed {found['seed']} disagrees:")
                for aspect, texts in found["differences"].items():
                    print("\n".join(f"  {aspect}: {text}" for text in texts))
                print(f"  truth: {found.get('truth')}\n  told:  {found.get('told')}", flush=True)
                if "script" in found and not options.no_shrink:
                    print("\n" + found["script"], flush=True)
            elif options.verbose:
                print(f"seed {found['seed']}: {found['way']}: {found['told']}", flush=True)
    made = options.count - unbuilt
    print("\nagreed: " + ", ".join(f"{a} {agreed[a]}/{compared[a]}" for a in judge.ASPECTS))
    print(f"{made - wrong} of {made} networks agree in everything; {unbuilt} could not be built; {unanswered} "
          f"were not answered, {vague} of them without a cause that was to be known; {remedies} remedies tried")
    return 1 if wrong or not made else 0


if __name__ == "__main__":
    sys.exit(main())
