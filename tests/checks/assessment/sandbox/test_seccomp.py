"""The filter as a program: what it answers for any system call."""

import errno
import json
import platform
import struct
from pathlib import Path

import pytest

from mlgate.checks.assessment.sandbox import landlock, seccomp

TABLES = json.loads((Path(seccomp.__file__).parent / "seccomp.json").read_bytes())
KILL, ALLOW, EPERM = 0x80000000, 0x7FFF0000, 0x00050000 | errno.EPERM
ENOSYS = 0x00050000 | errno.ENOSYS


def run(program, data):
    """Interpret classic BPF."""
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    at, accumulator = 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x06:
            return value
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
            continue
        truth = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[
            code
        ]
        at += yes if truth else no


def call(number, arch, *arguments):
    return struct.pack("=IIQ6Q", number, arch, 0, *(list(arguments) + [0] * 6)[:6])


@pytest.mark.parametrize("machine", TABLES)
def test_every_call_that_is_not_listed_is_denied(machine):
    table = TABLES[machine]
    program = seccomp.program(table)
    listed = {*table["allow"].values(), *table["not_executable"].values(), table["clone"], table["clone3"]}
    for number in range(1200):
        answer = run(program, call(number, table["audit_arch"]))
        if number in table["allow"].values() or number in table["not_executable"].values():
            assert answer == ALLOW
        elif number not in listed:
            assert answer == EPERM


@pytest.mark.parametrize("machine", TABLES)
def test_memory_never_becomes_code(machine):
    table = TABLES[machine]
    for number in table["not_executable"].values():
        assert run(seccomp.program(table), call(number, table["audit_arch"], 0, 4096, 3)) == ALLOW
        assert run(seccomp.program(table), call(number, table["audit_arch"], 0, 4096, 7)) == EPERM


@pytest.mark.parametrize("machine", TABLES)
def test_threads_start_and_processes_do_not(machine):
    table = TABLES[machine]
    program = seccomp.program(table)
    assert run(program, call(table["clone"], table["audit_arch"], 0x10F00)) == ALLOW
    assert run(program, call(table["clone"], table["audit_arch"], 17)) == EPERM
    assert run(program, call(table["clone3"], table["audit_arch"])) == ENOSYS


@pytest.mark.parametrize("machine", TABLES)
@pytest.mark.parametrize("arch", [0x40000003, 0xC00000B7, 0xC000003E])
def test_another_architecture_kills(machine, arch):
    table = TABLES[machine]
    expected = ALLOW if arch == table["audit_arch"] else KILL
    assert run(seccomp.program(table), call(table["allow"]["read"], arch)) == expected


def test_the_x32_table_kills():
    table = TABLES["x86_64"]
    assert run(seccomp.program(table), call(0x40000000 | 1, table["audit_arch"])) == KILL


@pytest.mark.parametrize(("asked", "answer"), [("machine", "pdp11"), ("system", "Minix")])
def test_a_machine_without_a_table_is_said(monkeypatch, asked, answer):
    monkeypatch.setattr(platform, asked, lambda: answer)
    with pytest.raises(seccomp.WallError, match=answer):
        seccomp.table()


def test_another_system_has_no_landlock(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Minix")
    assert landlock.version() == 0
    with pytest.raises(seccomp.WallError, match="Landlock"):
        landlock.restrict()
