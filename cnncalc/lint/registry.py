"""The lint rules: each a class in the file of its family, `cnncalc/lint/rules/FAMILY.py`."""

import re
from functools import cache
from importlib import import_module

from cnncalc.diagnostic import SEVERITIES
from cnncalc.layers import plug_in
from cnncalc.lint.rule import Rule
from cnncalc.plugins import Broken, Plugin, load, plugins

_FAMILIES: dict[str, tuple[str, ...]] = {
    "activations": (
        "ActivationWithoutEffect",
        "DoubledActivation",
        "RectifiedResidual",
        "RectifiedInput",
        "SigmoidsInDepth",
        "SlopeOutOfRange",
    ),
    "bias": ("BiasBeforeNormalisation", "NoShiftBeforeActivation"),
    "dropout": (
        "DropoutBeforeBatchnorm",
        "DropoutBeforeMaxpool",
        "DropoutBeforeOutput",
        "DoubledDropout",
        "DropoutAboveHalf",
        "DropoutDropsNearlyAll",
        "DropoutAfterSelu",
    ),
    "logits": (
        "ActivationOnLogits",
        "DoubledSoftmax",
        "ProbabilitiesBeforeLoss",
        "SoftmaxOfOne",
        "SoftmaxBetweenLayers",
    ),
    "nonlinearity": ("MissingNonlinearity",),
    "normalising": (
        "DoubledNormalisation",
        "NormalisesSingleValue",
        "BatchnormOnSinglePosition",
        "LayernormWithWeightsPerPixel",
        "LrnFallenOutOfUse",
        "LrnWindowOffCentre",
        "LrnWindowWiderThanChannels",
    ),
    "pool_order": ("PoolAfterPool", "ActivationBeforeMaxpool"),
    "fit": ("FloorDropsPixels", "FloorDropsPadding"),
    "receptive": ("UnproductiveLayer", "FieldSmallerThanObject", "FieldSmallerThanInput"),
    "resolution": ("EarlyDownsampling", "NoDownsampling"),
    "dilation": ("DilationGridding", "RepeatedDilation"),
    "alignment": ("MisalignedBranches", "UpsampledOffCentre"),
    "padding": (
        "TapsSeeOnlyPadding",
        "OutputsSeeOnlyPadding",
        "EvenKernelShiftsMap",
        "SamePaddingOffCentre",
        "PaddingInAverage",
        "PaddingGrowsMap",
    ),
    "skipping": (
        "PoolSkipsPixels",
        "ConvSkipsPixels",
        "AdaptivePoolRepeats",
        "CeilAddsPartialWindow",
        "UnevenAdaptiveBins",
        "DilationWithoutTaps",
    ),
    "upsampling": (
        "Checkerboard",
        "TransposedKernelLeavesGaps",
        "TransposedWithoutStride",
        "UnmirroredSize",
        "PointwiseAfterUpsampling",
    ),
    "unused": ("UnusedLayer", "UnusedInput", "UnusedBlock", "MissingClaim"),
    "redundant": ("LayerWithoutEffect", "MergeOfOne", "MergedTwice", "DoubledView"),
    "price": ("ParametersConcentrated", "MacsConcentrated", "ActivationsConcentrated"),
    "savings": ("LargeKernel", "PointwiseBeforeAvgpool"),
    "budgets": (
        "OverParameterBudget",
        "OverMacBudget",
        "OverActivationBudget",
        "OverDeviceMemory",
    ),
    "target": ("UnalignedChannels", "FewChannels", "OverGrouped", "OversizedTensor"),
    "deployment": (
        "MemoryBoundNetwork",
        "DepthwiseWaitsForMemory",
        "UnfoldableBatchnorm",
        "CostlyActivation",
    ),
    "ignores": ("UnusedIgnore", "UnknownRule"),
}


@cache
def rules() -> tuple[type[Rule], ...]:
    """Every rule, those of plugins among them, by code."""
    found: list[type[Rule]] = []
    for family, names in _FAMILIES.items():
        module = import_module(f"cnncalc.lint.rules.{family}")
        found += [getattr(module, name) for name in names]
    for plugin in plugins("cnncalc.rules"):
        added = _plugged(plugin, found)
        if isinstance(added, Broken):
            _BROKEN.append(added)
        else:
            found += added
    return tuple(sorted(found, key=lambda rule: rule.code))


def broken() -> tuple[Broken, ...]:
    """The plugins that are left out."""
    rules()
    return (*plug_in(), *_BROKEN)


_BROKEN: list[Broken] = []


def _plugged(plugin: Plugin, found: list[type[Rule]]) -> list[type[Rule]] | Broken:
    """The rules of a plugin: all of them, or none."""
    given = load(plugin)
    if isinstance(given, Broken):
        return given
    added = list(given) if isinstance(given, list | tuple) else [given]
    taken = {word for rule in found for word in (rule.code, rule.name)}
    for rule in added:
        if not (isinstance(rule, type) and issubclass(rule, Rule)):
            return Broken(plugin, f"{rule!r:.60} is no subclass of cnncalc.lint.rule.Rule")
        missing = [word for word in ("code", "name", "severity") if not hasattr(rule, word)]
        if missing:
            return Broken(plugin, f"{rule.__name__} has no `{missing[0]}`")
        if not re.fullmatch(r"[A-Z]{1,8}\d{3}", rule.code):
            return Broken(plugin, f"the code {rule.code!r:.60} is not letters and three digits")
        if rule.severity not in SEVERITIES:
            return Broken(plugin, f"{rule.code}: the severity is one of {', '.join(SEVERITIES)}")
        for word in (rule.code, rule.name):
            if word in taken:
                return Broken(plugin, f"a rule is called {word!r:.60} already")
            taken.add(word)
    return added
