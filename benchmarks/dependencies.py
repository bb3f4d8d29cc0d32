"""Time and memory of auditing a lock file of 300 packages: mlgate, and pip-audit beside it.

    python benchmarks/dependencies.py PyPI-all.zip [--packages N] [--runs N]

The lock holds the packages with the most advisories of the snapshot, each in the last version
that an advisory lists: the most work that a lock of this length can be. pip-audit asks a
service on this machine that answers at once, from the same advisories; nothing else is asked.
The service answers without a delay, which no service on a network does: with ``--delay`` it
waits so long before each answer. One run, so that the ratios are of one machine in one state.
"""

import argparse
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import agreement
from msgspec import Struct


class Cost(Struct, frozen=True):
    """Of one process: seconds and KiB."""

    wall: float
    cpu: float
    memory: int


def run(command, folder):
    """Run a command in a process of its own; return its cost. A verdict is no failure."""
    # Not below what is judged: a cache there would not be used.
    environment = {**os.environ, "XDG_CACHE_HOME": f"{folder}-cache"}
    started = time.monotonic()
    with Path(folder, "output").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    cost = Cost(time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss)
    if process.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}\n{Path(folder, 'output').read_text()[-2000:]}")
    return cost


def best(costs):
    """Return the smallest time and memory: what else the machine does only adds to them."""
    return Cost(*(min(getattr(cost, name) for cost in costs) for name in Cost.__struct_fields__))


def lock(records, count):
    """Return the pins of the lock: most advisories first."""
    pins = {}
    for name, known in sorted(records.items(), key=lambda item: (-len(item[1]), item[0])):
        texts = {
            text
            for record in known
            for entry in agreement.entries(record, name)
            for text in entry.get("versions", ())
        }
        versions = [version for text in texts if (version := agreement.parse(text)) is not None]
        if versions:
            pins[name] = max(versions)
        if len(pins) == count:
            break
    return pins


def answers(records, pins):
    """Return what the service says of each pin, as OSV's would."""
    return {
        (name, str(version)): json.dumps(
            {"vulns": found}
            if (
                found := [
                    record
                    for record in records[name]
                    if agreement.affects(record, name, str(version), version)
                ]
            )
            else {}
        ).encode()
        for name, version in pins.items()
    }


def serve(replies, delay):
    """Answer OSV's query interface on this machine; return the server."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet, sent at once: the service is not what is measured.
        disable_nagle_algorithm = True
        wbufsize = -1

        def log_message(self, *arguments):
            pass

        def do_POST(self):
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = replies[query["package"]["name"], query["version"]]
            time.sleep(delay)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def pip_audit(folder, server, runs):
    """Return pip-audit's cost, or None where it is not installed."""
    program = Path(sys.executable).with_name("pip-audit")
    if not program.exists():
        return None
    url = f"http://127.0.0.1:{server.server_port}/v1/query"
    command = [str(program), "--disable-pip", "--no-deps", "-r", "requirements.txt", "--format", "json"]
    command += ["--vulnerability-service", "osv", "--osv-url", url, "--progress-spinner", "off"]
    return best([run([*command, "--cache-dir", f"{folder}-pip-audit"], folder) for _ in range(runs)])


def row(name, cost):
    return f"| {name} | {cost.wall:.2f} | {cost.cpu:.2f} | {cost.memory / 1024:.0f} |"


def main() -> int:
    """Measure, and print a table and which aims are missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("snapshot", type=Path, help="a zip of OSV records")
    parser.add_argument("--packages", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--delay", type=float, default=0.02, help="seconds; 0.02 is a near service")
    options = parser.parse_args()
    snapshot = options.snapshot.resolve()
    records = agreement.read(snapshot)
    pins = lock(records, options.packages)
    replies = answers(records, pins)
    mlgate = [sys.executable, "-I", "-m", "mlgate", "audit", "requirements.txt", "--offline"]
    mlgate += ["--advisories", str(snapshot), "--report", "json"]
    server = serve(replies, 0)
    far = serve(replies, options.delay)
    with tempfile.TemporaryDirectory() as home:
        folder = f"{home}/repository"
        Path(folder).mkdir()
        Path(folder, "requirements.txt").write_text("".join(f"{name}=={at}\n" for name, at in pins.items()))
        cold = run(mlgate, folder)
        warm = best([run(mlgate, folder) for _ in range(options.runs)])
        found = json.loads(Path(folder, "output").read_text())
        other = pip_audit(folder, server, min(options.runs, 3))
        delayed = pip_audit(folder, far, 1)
        index = next(Path(f"{folder}-cache/mlgate/index").iterdir()).stat().st_size
    server.shutdown()
    far.shutdown()
    print(f"{len(pins)} packages, {len(found['findings'])} findings; best of {options.runs} runs\n")
    print("| command | wall s | CPU s | peak MB |\n|---|---|---|---|")
    print(row("`mlgate audit`, first run: makes the index", cold))
    print(row("`mlgate audit`, later runs", warm))
    if other is None or delayed is None:
        print("\npip-audit is not installed beside this Python; it is left out.")
        return 0
    print(row("`pip-audit --disable-pip --no-deps`", other))
    print(row(f"the same, {options.delay * 1000:g} ms from the service", delayed))
    wall, cpu = other.wall / warm.wall, other.cpu / warm.cpu
    print(f"\npip-audit takes {wall:.1f} times as long, and {cpu:.1f} times the CPU time;", end=" ")
    print(f"{delayed.wall / warm.wall:.0f} times as long with the delay. The index has {index >> 10} KiB.")
    missed = [
        aim
        for aim, met in (
            ("warm in 0.5 s", warm.wall <= 0.5),
            (f"ten times faster than a service {options.delay:g} s away", delayed.wall >= 10 * warm.wall),
            ("ten times faster than a service without a delay", wall >= 10),
            ("index in 10 s", cold.wall < 10),
            ("100 MB", max(cold.memory, warm.memory) < 100 << 10),
        )
        if not met
    ]
    print(f"Aims missed: {', '.join(missed)}" if missed else "Every aim is met.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
