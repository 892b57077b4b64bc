"""Processes that mark: slow, dying and lying ones cost one file each."""

import os
import time
from hashlib import sha256

import pytest

from cnncalc.homework.grading import pool, worker
from cnncalc.homework.grading.pool import PoolError, mark_all
from cnncalc.homework.grading.records import Record
from cnncalc.homework.grading.worker import Settings, Task
from cnncalc.homework.model import Outcome

KEY = "questions: [{id: q, input: 3@8x8, layers: [{conv: 2, kernel: 3}], ask: parameters}]"

#: Stands for what marking runs into, by a word in the file's name.
TROUBLE = """
import os, sys, time
from cnncalc.homework.grading import worker
mark = worker.mark_one
def trouble(task, settings):
    name = os.path.basename(task.path)
    if 'slow' in name: time.sleep(600)
    if 'deaf' in name:
        import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True: pass
    if 'crash' in name: os._exit(3)
    if 'once' in name and not os.path.exists(task.path + '.seen'):
        open(task.path + '.seen', 'w').close(); os.kill(os.getpid(), 11)
    if 'loud' in name: print('{"failure": "no"}'); sys.stdout.flush(); os.write(1, b'x\\n')
    return mark(task, settings)
worker.mark_one = trouble
worker.main()
"""


@pytest.fixture
def troubled(monkeypatch):
    start = pool.START.replace("from cnncalc.homework.grading.worker import main; main()", "")
    monkeypatch.setattr(pool, "START", start + TROUBLE)


@pytest.fixture
def tasks(tmp_path):
    (tmp_path / "key.yaml").write_text(KEY)

    def make(*names: str) -> list[Task]:
        made = []
        for name in names:
            text = f"q: 56  # {name}"
            (tmp_path / name).write_text(text)
            sha = sha256(text.encode()).hexdigest()
            made.append(Task(name, str(tmp_path / name), str(tmp_path / "key.yaml"), sha))
        return made

    return make


def marks(tasks, jobs=1, **settings) -> dict[str, Record]:
    return {task.state: record for task, record in mark_all(tasks, Settings(**settings), jobs)}


def test_every_file_is_marked_once(tasks):
    done = list(mark_all(tasks(*(f"s{n}.yaml" for n in range(20))), Settings(), 3))
    assert sorted(task.state for task, _ in done) == sorted(f"s{n}.yaml" for n in range(20))
    # 2 filters of 3x3x3 and 2 biases: 56.
    assert {record.marks[0].outcome for _, record in done} == {Outcome.RIGHT}


def test_no_files():
    assert list(mark_all([], Settings(), 4)) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_troubled_files_cost_nobody_else_their_marks(troubled, tasks, tmp_path, jobs):
    names = ["a.yaml", "slow.yaml", "b.yaml", "crash.yaml", "c.yaml", "deaf.yaml", "once.yaml"]
    started = time.monotonic()
    got = marks(
        tasks(*names, "loud.yaml", "d.yaml"), jobs, seconds=1.5, key=str(tmp_path / "key.yaml")
    )
    assert time.monotonic() - started < 60
    late = Record(failure="marking it takes more than 1.5 s", lasting=False)
    ended = Record(failure="marking it ends the process", lasting=False)
    assert [got.pop(one) for one in ("slow.yaml", "deaf.yaml")] == [late, late]
    assert got.pop("crash.yaml") == ended
    assert [one for one in got.values() if one.failure] == []
    assert {record.marks[0].outcome for record in got.values()} == {Outcome.RIGHT}
    assert len(got) == 6


def test_what_goes_wrong_in_marking_is_named_without_its_words(tasks, monkeypatch):
    def fail(*_, **__):
        raise ValueError("the key is 56")

    monkeypatch.setattr("cnncalc.homework.marking.mark", fail)
    (task,) = tasks("a.yaml")
    record = worker.mark_one(task, Settings())
    assert record.failure.startswith("marking it failed (ValueError at worker.py:")
    assert record.failure.endswith("): please report it")
    assert "56" not in record.failure.replace("worker.py:56", "")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (MemoryError("56"), "marking it takes more memory than there is"),
        (RecursionError("56"), "it is nested too deeply"),
    ],
)
def test_exhaustion_is_a_failure_of_one_file(tasks, monkeypatch, error, failure):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("cnncalc.homework.marking.mark", fail)
    assert worker.mark_one(tasks("a.yaml")[0], Settings()).failure == failure


def test_a_file_that_changes_while_it_is_marked(tasks):
    (task,) = tasks("a.yaml")
    with open(task.path, "a") as file:
        file.write("\n")
    record = marks([task])["a.yaml"]
    assert not record.lasting
    assert record.failure.startswith("it is not the file that was found")


def test_a_file_that_goes_away(tasks):
    (task,) = tasks("a.yaml")
    os.unlink(task.path)
    assert marks([task])["a.yaml"].failure


def test_a_key_of_a_student_that_cannot_be_used(tasks):
    (task,) = tasks("a.yaml")
    with open(task.key, "w") as file:
        file.write("questions: [{id: q}]")
    assert marks([task])["a.yaml"].failure == "its key cannot be used: 1 error in it"


def test_processes_that_do_not_start(tasks, monkeypatch):
    monkeypatch.setattr(pool, "START", "raise SystemExit(1)")
    with pytest.raises(PoolError, match="could not be started"):
        marks(tasks("a.yaml", "b.yaml"), 2)


def test_processes_end_when_nobody_wants_their_marks(tasks):
    work = mark_all(tasks(*(f"s{n}.yaml" for n in range(5))), Settings(), 2)
    next(work)
    work.close()


def test_one_thread_to_a_process_and_a_fixed_order_of_sets(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    environment = pool._environment()
    assert (environment["OMP_NUM_THREADS"], environment["PYTHONHASHSEED"]) == ("1", "0")
