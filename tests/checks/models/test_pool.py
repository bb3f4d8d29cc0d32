import os
import signal
import time

import msgspec
import pytest
from msgspec.structs import replace
from tests.checks.models.building import EVIL, NOISE, TEXT_EVIL, Entry, file, reasons, scope, zipped

from mlgate.checks.models import collect, pool
from mlgate.core.facts import Observations
from mlgate.listing import File

FILES = {
    **{f"models/{number}.pkl": EVIL for number in range(12)},
    "a/noise.bin": NOISE,
    "a/archive.zip": zipped(Entry("../x", TEXT_EVIL), Entry("y", EVIL)),
    "a/empty.pt": b"",
    "a/text.txt": b"text\n",
    # Not UTF-8, and larger than 64 bits.
    "a/odd.pkl": b"\x80\x04\x8c\x05posix\x8c\x03\xed\xa0\x80\x93\x8a\x10" + b"\x7f" * 16 + b"\x85R.",
}
LARGE = 1 << 30


def plain(observations):
    return msgspec.to_builtins(observations)


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_workers_see_what_one_process_sees_in_the_same_order(jobs):
    alone = collect(scope(FILES))
    assert plain(collect(replace(scope(FILES), jobs=jobs))) == plain(alone)


def results(work, files=10, count=2, seconds=60.0):
    lost = {}

    def note(number, reason):
        lost[number] = reason
        return Observations()

    done = [number for number, _ in pool.run(work, note, files, count, seconds, LARGE)]
    assert sorted(done) == list(range(files))
    return lost


def test_a_worker_that_is_killed_once_loses_no_file(tmp_path):
    def work(number):
        once = tmp_path / str(number)
        if number % 3 == 0 and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Observations()

    assert results(work, files=20) == {}


def test_a_file_that_ends_every_worker_is_not_checked_and_costs_nothing_else():
    def work(number):
        if number == 3:
            os._exit(0)
        if number == 5:
            raise ZeroDivisionError
        return Observations()

    assert results(work) == {3: "crashed", 5: "crashed"}


def test_a_file_that_stalls_a_worker_is_not_checked(monkeypatch):
    monkeypatch.setattr(pool, "_GRACE", 0.2)

    def work(number):
        if number == 1:
            time.sleep(60)
        return Observations()

    assert results(work, files=4, seconds=0.3) == {1: "timeout"}


def test_memory_is_limited():
    def work(number):
        bytearray(1 << 31)
        return Observations()

    assert results(work, files=1) == {0: "crashed"}


def test_what_the_parent_holds_is_not_the_workers_to_answer_for():
    held = bytearray(LARGE)

    def work(number):
        bytearray(1 << 28)
        return Observations()

    assert results(work, files=1) == {}
    assert held


def test_no_worker_outlives_the_run():
    run = pool.run(lambda _number: Observations(), lambda *_: Observations(), 100, 2, 60.0, LARGE)
    next(run)
    run.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_crash_is_said_of_the_file():
    def explode():
        os._exit(9)

    odd = File(path="b.pkl", size=1, kind="file", open=explode)
    seen = collect(replace(scope({"a.pkl": EVIL, "b.pkl": odd, "c.pkl": file("c.pkl", EVIL)}), jobs=2))
    assert reasons(seen) == {"crashed"}
    assert [record.path for record in seen.inventory] == ["a.pkl", "b.pkl", "c.pkl"]
