"""Errors are collected and shown once each in reading order, up to a number."""

import pytest

import cnncalc
from cnncalc.diagnostic import Diagnostic, Place
from cnncalc.errors import SpecError
from cnncalc.spec.findings import MOST_ERRORS, Findings

from .marking import errors


def test_nothing_found_is_no_error():
    Findings("net.yaml").check()


def test_what_is_found_is_raised_in_reading_order():
    findings = Findings("net.yaml")
    findings.error("S002", "b", "second", Place(2, 1, 2, 3), "help", "conv1")
    findings.error("S001", "a", "third", Place(2, 4, 2, 5))
    findings.error("S003", "c", "first", Place(1, 9, 1, 9))
    with pytest.raises(SpecError) as caught:
        findings.check()
    assert caught.value.diagnostics == (
        Diagnostic("S003", "c", "error", "first", "", "net.yaml", Place(1, 9, 1, 9)),
        Diagnostic("S002", "b", "error", "second", "help", "net.yaml", Place(2, 1, 2, 3), "conv1"),
        Diagnostic("S001", "a", "error", "third", "", "net.yaml", Place(2, 4, 2, 5)),
    )
    assert not caught.value.unreadable
    assert str(caught.value).splitlines() == [
        "net.yaml:1:9: S003 first",
        "net.yaml:2:1: S002 second (help: help)",
        "net.yaml:2:4: S001 third",
    ]


def test_the_same_finding_is_kept_once():
    findings = Findings("")
    for _ in range(3):
        findings.error("S001", "a", "message", Place(1, 1, 1, 1))
    assert len(findings.diagnostics) == 1


def test_too_many_errors_stop_the_reading():
    text = "input: 3@8x8\nlayers:\n" + "  - zzzz\n" * 150
    found = errors(text)
    assert len(found) == MOST_ERRORS == 100
    assert found[-1].place.line == 2 + 100


def test_stop_raises_at_once():
    findings = Findings("")
    findings.error("S001", "a", "message", Place(1, 1, 1, 1))
    with pytest.raises(cnncalc.SpecError):
        findings.stop()
