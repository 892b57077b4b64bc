"""Tests of the spec language, one module for each of cnncalc/spec/."""

import pytest

pytest.register_assert_rewrite("tests.spec.marking")
