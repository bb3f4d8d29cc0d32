"""Every wall is tried by a process that has confined itself; nothing tried does harm."""

import errno
import json
import os
import subprocess
import sys

import pytest

from mlgate.checks.assessment.sandbox import landlock

# Each attempt is a Python expression or statement; it is run after confinement.
ATTEMPTS = {
    "write a file": "open(MARKER, 'w').write('x')",
    "read a file": "open(VICTIM).read()",
    "list a folder": "os.listdir('/')",
    "remove a file": "os.unlink(VICTIM)",
    "make a folder": "os.mkdir(MARKER)",
    "link a file": "os.symlink(VICTIM, MARKER)",
    "fork": "os.fork() or os._exit(0)",
    "vfork": "call(58)",
    "run a program": "os.execv('/bin/sh', ['sh', '-c', 'touch ' + MARKER])",
    "spawn a program": "os.posix_spawn('/bin/sh', ['sh', '-c', 'touch ' + MARKER], {})",
    "internet socket": "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "datagram socket": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "unix socket": "socket.socket(socket.AF_UNIX)",
    "socket pair": "socket.socketpair()",
    "signal the parent": "os.kill(os.getppid() or 1, 0)",
    "trace itself": "call('ptrace', 0)",
    "read other memory": "call('process_vm_readv', 1)",
    "mount": "call('mount')",
    "load bpf": "call('bpf')",
    "open a key ring": "call('keyctl')",
    "io_uring": "call('io_uring_setup', 1)",
    "userfaultfd": "call('userfaultfd')",
    "memory file": "os.memfd_create('x')",
    "change the root": "os.chroot('/')",
    "new namespace": "call('unshare', 0x10000000)",
    "executable memory": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "raise a limit": "resource.setrlimit(resource.RLIMIT_CORE, (1, 1))",
    "more memory than allowed": "bytearray(4 << 30)",
}

NUMBERS = {
    "x86_64": {
        "ptrace": 101, "process_vm_readv": 310, "mount": 165, "bpf": 321, "keyctl": 250,
        "io_uring_setup": 425, "userfaultfd": 323, "unshare": 272, "clone3": 435, 58: 58,
    },
    "aarch64": {
        "ptrace": 117, "process_vm_readv": 270, "mount": 40, "bpf": 280, "keyctl": 219,
        "io_uring_setup": 425, "userfaultfd": 282, "unshare": 97, "clone3": 435, 58: 1071,
    },
}  # fmt: skip

SCRIPT = """
import ctypes, errno, json, mmap, os, resource, socket, sys, threading
from mlgate.checks.assessment.sandbox import landlock, seccomp, walls
MARKER, VICTIM, NUMBERS, ATTEMPTS, MODE = json.load(sys.stdin)
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if libc.syscall(NUMBERS[str(name)], *arguments, 0, 0, 0, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
said = {}
if MODE == "all":
    said["walls"] = [[wall.name, wall.stands] for wall in walls.confine(2 << 30, 60)]
elif MODE == "all but seccomp":
    seccomp.platform.machine = lambda: "pdp11"
    said["walls"] = [[wall.name, wall.stands] for wall in walls.confine(2 << 30, 60)]
elif MODE == "all but landlock":
    landlock.version = lambda: 0
    said["walls"] = [[wall.name, wall.stands] for wall in walls.confine(2 << 30, 60)]
elif MODE == "landlock":
    walls.no_new_privileges(); landlock.restrict()
elif MODE == "seccomp":
    walls.no_new_privileges(); seccomp.restrict(seccomp.table())
elif MODE == "limits":
    walls.limit_resources(2 << 30, 60)
for name, attempt in ATTEMPTS.items():
    try:
        exec(attempt)
    except OSError as error:
        said[name] = error.errno
    except MemoryError:
        said[name] = errno.ENOMEM
    except ValueError:
        said[name] = errno.EINVAL
    else:
        said[name] = 0
thread = threading.Thread(target=lambda: said.setdefault("thread", "ran"))
thread.start(); thread.join()
os.write(1, json.dumps(said).encode())
"""


def confined(tmp_path, attempts, mode):
    victim = tmp_path / "victim"
    victim.write_text("private")
    numbers = {str(name): number for name, number in NUMBERS[os.uname().machine].items()}
    given = json.dumps([str(tmp_path / "marker"), str(victim), numbers, attempts, mode])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=given, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), tmp_path


@pytest.fixture(scope="module")
def attempted(tmp_path_factory):
    return confined(tmp_path_factory.mktemp("walls"), ATTEMPTS, "all")


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_confined_process_cannot(attempted, attempt):
    said, _ = attempted
    assert said[attempt] in (errno.EPERM, errno.EACCES, errno.ENOMEM, errno.EINVAL, errno.ENOSYS)


def test_nothing_that_was_tried_left_a_trace(attempted):
    _, folder = attempted
    assert sorted(entry.name for entry in folder.iterdir()) == ["victim"]


def test_a_confined_process_may_still_start_a_thread(attempted):
    said, _ = attempted
    assert said["thread"] == "ran"


def test_every_wall_is_reported(attempted):
    said, _ = attempted
    assert said["walls"] == [
        ["resource limits", True],
        ["no new privileges", True],
        ["landlock", landlock.version() > 0],
        ["seccomp", True],
    ]


HARMLESS = (
    "read a file",
    "write a file",
    "list a folder",
    "fork",
    "internet socket",
    "datagram socket",
    "unix socket",
    "socket pair",
    "signal the parent",
    "memory file",
    "executable memory",
)


def test_without_walls_the_attempts_succeed(tmp_path):
    said, _ = confined(tmp_path, {name: ATTEMPTS[name] for name in HARMLESS}, "none")
    assert {name: said[name] for name in HARMLESS} == dict.fromkeys(HARMLESS, 0)


def test_landlock_alone_denies_files(tmp_path):
    if landlock.version() == 0:
        with pytest.raises(landlock.WallError):
            landlock.restrict()
        return
    attempts = {
        name: ATTEMPTS[name] for name in ("read a file", "write a file", "list a folder", "remove a file")
    }
    said, _ = confined(tmp_path, attempts, "landlock")
    assert {said[name] for name in attempts} == {errno.EACCES}


def test_landlock_alone_denies_tcp(tmp_path):
    attempts = {
        "listen": "socket.socket().bind(('127.0.0.1', 0))",
        "connect": "socket.socket().connect(('127.0.0.1', 9))",
    }
    said, _ = confined(tmp_path, attempts, "landlock" if landlock.version() >= 4 else "seccomp")
    assert {said[name] for name in attempts} <= {errno.EACCES, errno.EPERM}


# What the limits deny; without them the memory would be had.
OF_LIMITS = ("more memory than allowed", "raise a limit")
OF_SECCOMP = {name: attempt for name, attempt in ATTEMPTS.items() if name not in OF_LIMITS}


@pytest.fixture(scope="module")
def seccomp_only(tmp_path_factory):
    return confined(tmp_path_factory.mktemp("seccomp"), OF_SECCOMP, "seccomp")[0]


@pytest.mark.parametrize("attempt", OF_SECCOMP)
def test_seccomp_alone_denies(seccomp_only, attempt):
    assert seccomp_only[attempt] in (errno.EPERM, errno.ENOSYS)


@pytest.mark.parametrize(("missing", "denial"), [("seccomp", errno.EACCES), ("landlock", errno.EPERM)])
def test_a_wall_that_is_missing_is_said_and_the_other_stands(tmp_path, missing, denial):
    said, _ = confined(tmp_path, {"read a file": ATTEMPTS["read a file"]}, f"all but {missing}")
    assert dict(said["walls"])[missing] is False
    assert said["read a file"] == (denial if missing == "landlock" or landlock.version() else 0)


def test_clone3_asks_the_library_to_use_clone(tmp_path):
    said, _ = confined(tmp_path, {"clone3": "call('clone3', 0, 0)"}, "seccomp")
    assert said["clone3"] == errno.ENOSYS


def test_limits_alone_deny_memory_and_writing(tmp_path):
    attempts = {
        "memory": "bytearray(4 << 30)",
        "write": "f = open(MARKER, 'wb', buffering=0); f.write(b'x')",
    }
    said, folder = confined(tmp_path, attempts, "limits")
    assert said["memory"] == errno.ENOMEM
    assert said["write"] == errno.EFBIG
    assert (folder / "marker").read_bytes() == b""


def test_a_thread_from_before_is_said():
    script = (
        "import json, threading, time\n"
        "from mlgate.checks.assessment.sandbox import walls\n"
        "threading.Thread(target=time.sleep, args=(30,), daemon=True).start()\n"
        "import os\n"
        "os.write(1, json.dumps([[w.name, w.stands] for w in walls.confine(2 << 30, 60)]).encode())\n"
        "os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=60)
    assert ["landlock", False] in json.loads(done.stdout)
