"""What training keeps, against PyTorch's autograd: the tensors that it really saves.

`saved_tensors_hooks` sees every tensor that an operation keeps for its backward
pass. Each storage counts once, parameters and statistics do not count; PyTorch's
places of maxima are 8 bytes each where ours are 4, and are left out of both.
"""

import pytest

import cnncalc

torch = pytest.importorskip("torch", reason="PyTorch is the oracle; `.ci/run` installs it")
nn = torch.nn

IMAGE = (3, 16, 16)


class Residual(nn.Module):
    """A path added to its input."""

    def __init__(self, *path):
        super().__init__()
        self.path = nn.Sequential(*path)

    def forward(self, x):
        return self.path(x) + x


NETWORKS = {
    "a chain": (
        "[{conv: 8, kernel: 3, pad: 1}, relu, {conv: 4, kernel: 3}, relu, {avgpool: 2}, flatten, "
        "{linear: 10}]",
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 4, 3),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(196, 10),
        ),
    ),
    "batch norm": (
        "[{conv: 8, kernel: 3, bias: false}, batchnorm, relu, {conv: 4, kernel: 1}, batchnorm, "
        "relu]",
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 4, 1),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
        ),
    ),
    "a residual": (
        "[{conv: 6, kernel: 1}, {add: [[{conv: 6, kernel: 3, pad: 1}, sigmoid], []]}, tanh, "
        "{conv: 2, kernel: 1}]",
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 1),
            Residual(nn.Conv2d(6, 6, 3, padding=1), nn.Sigmoid()),
            nn.Tanh(),
            nn.Conv2d(6, 2, 1),
        ),
    ),
    "gelu keeps its input": (
        "[{conv: 6, kernel: 1}, gelu, {conv: 5, kernel: 1}, silu, {conv: 2, kernel: 1}]",
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 1), nn.GELU(), nn.Conv2d(6, 5, 1), nn.SiLU(), nn.Conv2d(5, 2, 1)
        ),
    ),
    "dropout leaves the output of a ReLU alone": (
        "[flatten, {linear: 20}, relu, {dropout: 0.5}, {linear: 5}]",
        lambda: nn.Sequential(
            nn.Flatten(),
            nn.Linear(768, 20),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(20, 5),
        ),
    ),
    "softmax and transposed": (
        "[{convtranspose: 4, kernel: 2, stride: 2}, relu, globalavgpool, flatten, {linear: 5}, "
        "softmax]",
        lambda: nn.Sequential(
            nn.ConvTranspose2d(3, 4, 2, 2),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 5),
            nn.Softmax(dim=1),
        ),
    ),
}


def saved_elements(model) -> int:
    """Float values in the storages that autograd keeps, parameters and statistics left out."""
    own = {tensor.untyped_storage().data_ptr() for tensor in model.state_dict().values()}
    kept: dict[int, int] = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        # A batch norm's own mean and deviation, one per channel, are no feature maps.
        if storage.data_ptr() not in own and tensor.is_floating_point() and tensor.dim() > 1:
            kept[storage.data_ptr()] = storage.nbytes() // tensor.element_size()
        return tensor

    image = torch.rand(1, *IMAGE)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = model(image)
    assert output.requires_grad
    return sum(kept.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_saved_for_the_backward_pass(name):
    layers, build = NETWORKS[name]
    ours = cnncalc.analyze(cnncalc.loads(f"input: 3@16x16\nlayers: {layers}")).memory
    # PyTorch's mask of a dropout holds floats on the CPU; ours counts one byte for each.
    assert ours.saved + ours.masks == saved_elements(build())
