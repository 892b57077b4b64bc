"""Which module computes a family of operations."""

import contextvars
import sys
from types import ModuleType

import pytest

from cnncalc import functional as F
from cnncalc.kernels import binding
from tests.functional.comparing import refusal


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> str:
    """A family with `both` in both tiers, and `one` in the plain tier only."""
    for tier, names in (("plain", ("both", "one")), ("fast", ("both",))):
        module = ModuleType(f"cnncalc.kernels.cpu.{tier}.invented")
        for name in names:
            setattr(module, name, f"{tier} {name}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return "invented"


def test_the_fast_tier_falls_back_function_by_function(family: str) -> None:
    fast = binding.kernel(family)
    assert (fast.both, fast.one) == ("fast both", "plain one")
    plain = binding.kernel(family, tier="plain")
    assert (plain.both, plain.one) == ("plain both", "plain one")
    with refusal(AttributeError, "the kernels of 'invented' have no function 'none'"):
        fast.none  # noqa: B018


def test_the_tier_is_that_of_the_context(family: str) -> None:
    with F.tier("plain"):
        assert binding.kernel(family).both == "plain both"
        with F.tier("fast"):
            assert binding.kernel(family).both == "fast both"
        assert binding.kernel(family).both == "plain both"
        assert contextvars.Context().run(lambda: binding.kernel(family).both) == "fast both"
    assert binding.kernel(family).both == "fast both"


def test_what_there_is_not_is_refused() -> None:
    with refusal(ValueError, 'device: must be "cpu" or "cuda", got \'tpu\''):
        binding.kernel("convolution", "tpu")
    with refusal(ValueError, 'tier: must be "fast" or "plain", got \'slow\''):
        binding.kernel("convolution", tier="slow")
    with refusal(ValueError, 'tier: must be "fast" or "plain", got \'slow\''), F.tier("slow"):
        pass
    with refusal(LookupError, "no kernels for 'nothing' on 'cpu' in the tier 'fast'"):
        binding.kernel("nothing")


def test_a_module_that_cannot_be_imported_is_not_taken_for_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(name: str) -> ModuleType:
        raise ModuleNotFoundError("No module named 'llvm'", name="llvm")

    monkeypatch.setattr(binding, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="llvm"):
        binding.kernel("another")


def test_each_function_stands_where_the_table_says() -> None:
    """Every public name is found, documented, and listed by its family and by no other."""
    families = {F._HOMES[name]: set() for name in F._HOMES}
    for name, family in F._HOMES.items():
        assert getattr(F, name).__doc__, name
        families[family].add(name)
    for family, names in families.items():
        module = sys.modules[f"cnncalc.functional.{family}"]
        assert {name for name in module.__all__ if name.islower()} == names  # not its types
    assert set(F.__all__) == {"tier", *F._HOMES}
    assert set(F.__all__) <= set(dir(F))
    with refusal(AttributeError, "module 'cnncalc.functional' has no attribute 'conv9d'"):
        F.conv9d  # noqa: B018
