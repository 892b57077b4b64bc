"""Eight networks in plain torch.nn: every layer a module, `+` and `torch.cat` the only operators.

They have the layers of torchvision's networks, not its code: there some activations and
pools are functions, which tools that hook modules do not see.
"""

import torch
from torch import nn


class Residual(nn.Module):
    """The sum of a branch and a shortcut."""

    def __init__(self, branch, shortcut=None):
        super().__init__()
        self.branch, self.shortcut = branch, shortcut or nn.Identity()

    def forward(self, x):
        return self.branch(x) + self.shortcut(x)


class Concat(nn.Module):
    """The channels of all branches, one after the other."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


def conv_bn(before, filters, kernel, stride=1, pad=0, groups=1, act=nn.ReLU):
    conv = nn.Conv2d(before, filters, kernel, stride, pad, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters), *([act()] if act else []))


def head(features, dropout=None):
    drop = [nn.Dropout(dropout)] if dropout else []
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), *drop, nn.Linear(features, 1000)]


def alexnet():
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.AdaptiveAvgPool2d(6), nn.Flatten(),
        nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU(),
        nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000),
    )  # fmt: skip


def alexnet_227():
    """The single tower of the course notes, with local response normalisation."""
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2), nn.LocalResponseNorm(5),
        nn.Conv2d(96, 256, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.LocalResponseNorm(5),
        nn.Conv2d(256, 384, 3, 1, 1), nn.ReLU(),
        nn.Conv2d(384, 384, 3, 1, 1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 1000), nn.Softmax(1),
    )  # fmt: skip


def vgg16():
    layers, before = [], 3
    for width, number in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(number):
            layers += [nn.Conv2d(before, width, 3, 1, 1), nn.ReLU()]
            before = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(
        *layers, nn.Flatten(),
        nn.Linear(25088, 4096), nn.ReLU(), nn.Dropout(),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 1000), nn.Softmax(1),
    )  # fmt: skip


def resnet(numbers, expansion):
    layers = [conv_bn(3, 64, 7, 2, 3), nn.MaxPool2d(3, 2, 1)]
    before = 64
    for stage, number in enumerate(numbers):
        width = 64 * 2**stage
        for block in range(number):
            stride = 2 if stage and not block else 1
            after = width * expansion
            if expansion == 1:
                branch = [conv_bn(before, width, 3, stride, 1)]
                branch.append(conv_bn(width, width, 3, 1, 1, act=None))
            else:
                branch = [conv_bn(before, width, 1), conv_bn(width, width, 3, stride, 1)]
                branch.append(conv_bn(width, after, 1, act=None))
            same = stride == 1 and before == after
            shortcut = None if same else conv_bn(before, after, 1, stride, act=None)
            layers += [Residual(nn.Sequential(*branch), shortcut), nn.ReLU()]
            before = after
    return nn.Sequential(*layers, *head(before))


def resnet18():
    return resnet((2, 2, 2, 2), 1)


def resnet50():
    return resnet((3, 4, 6, 3), 4)


def inception(before, a, b, c, d, e, f):
    return Concat(
        conv_bn(before, a, 1),
        nn.Sequential(conv_bn(before, b, 1), conv_bn(b, c, 3, 1, 1)),
        nn.Sequential(conv_bn(before, d, 1), conv_bn(d, e, 3, 1, 1)),
        nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), conv_bn(before, f, 1)),
    )


def googlenet_noaux():
    def pool(kernel=3):
        return nn.MaxPool2d(kernel, 2, ceil_mode=True)

    return nn.Sequential(
        conv_bn(3, 64, 7, 2, 3), pool(), conv_bn(64, 64, 1), conv_bn(64, 192, 3, 1, 1), pool(),
        inception(192, 64, 96, 128, 16, 32, 32), inception(256, 128, 128, 192, 32, 96, 64), pool(),
        inception(480, 192, 96, 208, 16, 48, 64), inception(512, 160, 112, 224, 24, 64, 64),
        inception(512, 128, 128, 256, 24, 64, 64), inception(512, 112, 144, 288, 32, 64, 64),
        inception(528, 256, 160, 320, 32, 128, 128), pool(2),
        inception(832, 256, 160, 320, 32, 128, 128), inception(832, 384, 192, 384, 48, 128, 128),
        *head(1024, 0.2),
    )  # fmt: skip


def densenet121():
    def norm_conv(before, filters, kernel, pad=0):
        conv = nn.Conv2d(before, filters, kernel, 1, pad, bias=False)
        return nn.Sequential(nn.BatchNorm2d(before), nn.ReLU(), conv)

    layers, width = [conv_bn(3, 64, 7, 2, 3), nn.MaxPool2d(3, 2, 1)], 64
    for block, number in enumerate((6, 12, 24, 16)):
        for _ in range(number):
            new = nn.Sequential(norm_conv(width, 128, 1), norm_conv(128, 32, 3, 1))
            layers.append(Concat(nn.Identity(), new))
            width += 32
        if block < 3:
            layers += [norm_conv(width, width // 2, 1), nn.AvgPool2d(2)]
            width //= 2
    return nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU(), *head(width))


def mobilenet_v2():
    layers, before = [conv_bn(3, 32, 3, 2, 1, act=nn.ReLU6)], 32
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
              (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip
    for t, after, number, first in stages:
        for block in range(number):
            stride, wide = (1 if block else first), t * before
            branch = [conv_bn(before, wide, 1, act=nn.ReLU6)] if t > 1 else []
            branch.append(conv_bn(wide, wide, 3, stride, 1, groups=wide, act=nn.ReLU6))
            branch.append(conv_bn(wide, after, 1, act=None))
            made = nn.Sequential(*branch)
            layers.append(Residual(made) if stride == 1 and before == after else made)
            before = after
    return nn.Sequential(*layers, conv_bn(before, 1280, 1, act=nn.ReLU6), *head(1280, 0.2))


#: The packaged spec's name, how to build the network, and its input.
NETWORKS = {
    "alexnet": (alexnet, (3, 224, 224)),
    "alexnet_227": (alexnet_227, (3, 227, 227)),
    "vgg16": (vgg16, (3, 224, 224)),
    "resnet18": (resnet18, (3, 224, 224)),
    "resnet50": (resnet50, (3, 224, 224)),
    "googlenet_noaux": (googlenet_noaux, (3, 224, 224)),
    "densenet121": (densenet121, (3, 224, 224)),
    "mobilenet_v2": (mobilenet_v2, (3, 224, 224)),
}
