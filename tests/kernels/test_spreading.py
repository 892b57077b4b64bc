"""Independent outputs spread over threads."""

import os
import threading

import numpy as np
import pytest

from cnncalc.kernels.cpu.spreading import spread
from tests.functional.comparing import threads


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 1000])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_parts_cover_every_output_once(count: int, workers: int) -> None:
    done = np.zeros(count, int)
    calls = []

    def body(first: int, last: int, by: int) -> None:
        calls.append((first, last))
        done[first:last] += by

    with threads(workers):
        spread(body, count, 10**6, 7)
    np.testing.assert_array_equal(done, np.full(count, 7))
    assert len(calls) <= min(workers, count)


def test_little_work_stays_where_it_is() -> None:
    seen = []
    spread(lambda first, last: seen.append((first, last, threading.get_ident())), 1000, 1)
    assert seen == [(0, 1000, threading.get_ident())]


def test_an_error_in_a_thread_is_raised() -> None:
    def body(first: int, last: int) -> None:
        if last == 100:
            raise MemoryError("the last part")

    with threads(4), pytest.raises(MemoryError, match="the last part"):
        spread(body, 100, 10**6)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_starts_threads_of_its_own() -> None:
    def body(first: int, last: int) -> None:
        pass

    with threads(4):
        spread(body, 100, 10**6)
        from cnncalc.kernels.cpu import spreading

        before = spreading._pool
        assert before is not None
        try:
            spreading._forget()  # what the fork calls in the child
            spread(body, 100, 10**6)
            assert spreading._pool is not before
        finally:
            spreading._pool = before
