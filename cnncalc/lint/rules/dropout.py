"""Dropout where it harms, has no use, or drops too much."""

from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.chains import (
    LOSSES,
    MAX_POOLS,
    POINTWISE,
    SOFTMAXES,
    VIEWS,
    WEIGHTED,
    before,
    option,
)
from cnncalc.lint.entries import removal, swap
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject

#: Layers that carry the noise of dropout on without weights of their own.
_CARRYING = VIEWS | POINTWISE | {"maxpool", "avgpool", "globalavgpool", "adaptiveavgpool"}

_PROBABILITIES = SOFTMAXES | {"sigmoid"}

#: Two-stream networks went up to 0.9.
_NEARLY_ALL = 0.9


def _dropouts(subject: Subject) -> Iterator[LayerAnalysis]:
    return (one for one in subject.of("dropout") if option(one, "p") > 0)


class DropoutBeforeBatchnorm(Rule):
    """A batchnorm takes its statistics over values with dropout in them.

    What it does: reports dropout whose values reach a batchnorm through no weights:
    directly, or past activations, pools and flatten. A batchnorm that keeps no running
    statistics is left alone.

    Why it matters: dropout widens the variance in training, and in evaluation it is gone.
    The batchnorm then divides by a deviation that no longer holds ("variance shift").

    Bad:
        input: 32
        layers:
          - {linear: 16}
          - relu
          - «{dropout: 0.5}»
          - batchnorm
          - {linear: 10}

    Good:
        input: 32
        layers:
          - {linear: 16, bias: false}
          - batchnorm
          - relu
          - {dropout: 0.5}
          - {linear: 10}

    Source: Li, Chen, Hu and Yang 2019, "Understanding the disharmony between dropout and
    batch normalization by variance shift".
    """

    code = "O006"
    name = "dropout-before-batchnorm"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        if not subject.of("dropout"):
            return
        for norm in subject.of("batchnorm"):
            layer = before(subject, norm, _CARRYING) if option(norm, "track") else None
            if layer is None or layer.kind != "dropout" or not option(layer, "p"):
                continue
            fix = None
            if subject.reader(layer) is norm:
                fix = swap(subject, "let the batchnorm come first", layer, norm, safe=False)
            yield self.at(
                subject,
                layer,
                f"{norm.name} learns the variance of values of which {option(layer, 'p'):g} are "
                "dropped; in evaluation none are",
                f"dropout after {norm.name} and its activation",
                fix=fix,
            )


class DropoutBeforeMaxpool(Rule):
    """A max pool reads values of which some are dropped.

    What it does: reports dropout read by a max pool alone.

    Why it matters: where the largest value is dropped the pool takes the next one, so
    little is dropped after all: less the larger the window. It is max-pooling dropout,
    another regulariser than the p says.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - «{dropout: 0.25}»
          - {maxpool: 2}

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {maxpool: 2}
          - {dropout: 0.25}

    Source: Wu and Gu 2015, "Towards dropout training for convolutional neural networks".
    """

    code = "O007"
    name = "dropout-before-maxpool"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in _dropouts(subject):
            pool = subject.reader(layer)
            if pool is None or pool.kind not in MAX_POOLS:
                continue
            yield self.at(
                subject,
                layer,
                f"{pool.name} takes the next largest value where the largest is dropped",
                f"dropout after {pool.name}",
                fix=swap(subject, "drop after the pool", layer, pool, safe=False),
            )


class DropoutBeforeOutput(Rule):
    """Dropout after the last weights: scores or probabilities are set to zero.

    What it does: reports dropout on the values of a convolution or linear layer that reach
    a final softmax, sigmoid or loss, or the output of a network whose `task` is
    classification, with no weights in between.

    Why it matters: no later layer can make up for what is missing. A dropped score is 0,
    not unlikely, so the true class is often drawn at random, and the loss never settles.

    Bad:
        input: 32
        layers:
          - {linear: 10}
          - «{dropout: 0.5}»
          - softmax

    Good:
        input: 32
        layers:
          - {linear: 16}
          - relu
          - {dropout: 0.5}
          - {linear: 10}
          - softmax

    Source: Srivastava et al. 2014, section 4: dropout is applied to input and hidden units.
    """

    code = "O008"
    name = "dropout-before-output"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in _dropouts(subject):
            weights = before(subject, layer, VIEWS | _PROBABILITIES)
            if weights is None or weights.kind not in WEIGHTED:
                continue
            end = _end(subject, layer)
            if end:
                yield self.at(
                    subject,
                    layer,
                    f"drops {option(layer, 'p'):g} of {end}, after the last weights "
                    f"({weights.name})",
                    f"remove it, or place it before {weights.name}",
                    fix=removal(subject, "remove it", layer, safe=False),
                )


def _end(subject: Subject, layer: LayerAnalysis) -> str:
    """What dropout falls on, if nothing with weights comes after it; else an empty text."""
    source = subject.source(layer)
    final = source is not None and source.kind in _PROBABILITIES
    what = "the probabilities" if final else "the scores"
    here = layer
    for _ in range(8):
        if not subject.readers(here):
            final = final or subject.network.task.lower() == "classification"
            return what if final and subject.is_output(here) else ""
        reader = subject.reader(here)
        if reader is None:
            return ""
        if reader.kind in LOSSES:
            return what
        if reader.kind not in VIEWS | _PROBABILITIES:
            return ""
        final = final or reader.kind in _PROBABILITIES
        here = reader
    return ""


class DoubledDropout(Rule):
    """Dropout of what has just been dropped.

    What it does: reports dropout that reads another dropout with no weights between them.

    Why it matters: the two are one dropout that keeps the product of their shares: 0.5 and
    then 0.5 drops 3/4. Mostly one was left behind by an edit.

    Bad:
        input: 32
        layers:
          - {linear: 16}
          - {dropout: 0.2}
          - relu
          - «{dropout: 0.3}»
          - {linear: 10}

    Good:
        input: 32
        layers:
          - {linear: 16}
          - relu
          - {dropout: 0.44}
          - {linear: 10}

    Source: Srivastava et al. 2014, section 4; the product of independent masks.
    """

    code = "O009"
    name = "doubled-dropout"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in _dropouts(subject):
            first = before(subject, layer, VIEWS | POINTWISE)
            if first is None or first.kind != "dropout" or not option(first, "p"):
                continue
            both = 1 - (1 - option(first, "p")) * (1 - option(layer, "p"))
            yield self.at(
                subject,
                layer,
                f"with {first.name} before it, {both:g} are dropped in all",
                f"keep one of them; {{dropout: {both:g}}} does what both do",
            )


class DropoutAboveHalf(Rule):
    """Dropout takes away more than half of the units.

    What it does: reports dropout and droppath with a p above 0.5, up to 0.9.

    Why it matters: a half is where the noise is strongest for hidden units; beyond it
    mostly capacity is lost, and the network has to be wider to make up for it.

    Bad:
        input: 32
        layers:
          - {linear: 16}
          - relu
          - {dropout: «0.7»}
          - {linear: 10}

    Good:
        input: 32
        layers:
          - {linear: 16}
          - relu
          - {dropout: 0.5}
          - {linear: 10}

    Source: Srivastava et al. 2014, section 7.3 and appendix A.
    """

    code = "A007"
    name = "dropout-above-half"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("dropout", "droppath"):
            p = option(layer, "p")
            if 0.5 < p <= _NEARLY_ALL:
                yield self.at(
                    subject,
                    layer,
                    f"{p:g} are dropped and {1 - p:g} kept: more than half is lost",
                    "0.5 for hidden units, 0.2 for inputs and convolutions",
                    "p",
                )


class DropoutDropsNearlyAll(Rule):
    """Dropout leaves next to nothing.

    What it does: reports dropout and droppath with a p above 0.9.

    Why it matters: less than a tenth of the units remain in training. Where p was meant as
    the share that is kept (TensorFlow 1's keep_prob), it is 1 - p that has to be written.

    Bad:
        input: 32
        layers:
          - {linear: 16}
          - relu
          - {dropout: «0.95»}
          - {linear: 10}

    Good:
        input: 32
        layers:
          - {linear: 16}
          - relu
          - {dropout: 0.05}
          - {linear: 10}

    Source: PyTorch's Dropout: "p: probability of an element to be zeroed".
    """

    code = "A008"
    name = "dropout-drops-nearly-all"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("dropout", "droppath"):
            p = option(layer, "p")
            if p > _NEARLY_ALL:
                yield self.at(
                    subject,
                    layer,
                    f"{p:g} are dropped and {1 - p:g} kept",
                    f"p is the share that is dropped; write {1 - p:g} to keep {p:g}",
                    "p",
                )


class DropoutAfterSelu(Rule):
    """Plain dropout behind selu, which needs its own.

    What it does: reports dropout on the values of selu, directly or past flatten.

    Why it matters: selu keeps mean 0 and variance 1 from layer to layer by itself. Setting
    values to 0 changes both; alpha dropout, which sets them to selu's lower limit, does not.

    Bad:
        input: 32
        layers:
          - {linear: 16}
          - selu
          - «{dropout: 0.1}»
          - {linear: 10}

    Good:
        input: 32
        layers:
          - {linear: 16}
          - selu
          - {linear: 10}

    Source: Klambauer, Unterthiner, Mayr and Hochreiter 2017, section "New dropout technique".
    """

    code = "A015"
    name = "dropout-after-selu"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in _dropouts(subject):
            source = before(subject, layer, VIEWS)
            if source is not None and source.kind == "selu":
                yield self.at(
                    subject,
                    layer,
                    f"zeros in the values of {source.name} change the mean and variance that selu "
                    "keeps",
                    "alpha dropout in the framework, or leave it out",
                )
