"""A network of the graph, written anew in PyTorch: the oracle of the executor.

Each kind is translated to `torch.nn.functional` (or to a formula in tensors where torch has
none) from the options in the spec, padding and shapes worked out here again. Nothing of
cnncalc's execution, functions or kernels is used, nor what the layers say of themselves but
for their options.
"""

import math
from typing import Any

import numpy as np

from tests.functional.comparing import torch_module

torch = torch_module()
F = torch.nn.functional


class TorchNetwork:
    """Values by node name, for given inputs and tensors.

    Args:
        network: of the spec.
        tensors: parameters and buffers by name, as NumPy arrays.
        targets: of losses, by node name.
        boxes: of region layers, by node name: (maps, regions, 4).
        masks: of dropout and drop path in training, by node name: the factors.
    """

    def __init__(
        self, network: Any, tensors: Any, *, training: bool = False, dtype: Any = None,
        targets: Any = None, boxes: Any = None, masks: Any = None,
    ) -> None:  # fmt: skip
        self.network, self.training = network, training
        self.dtype = dtype or torch.float64
        self.leaves = {
            name: torch.tensor(value, dtype=self.dtype, requires_grad="running_" not in name)
            for name, value in tensors.items()
        }
        self.targets, self.boxes, self.masks = targets or {}, boxes or {}, masks or {}
        self.running: dict[str, Any] = {}

    def forward(self, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
        """Every value of the network, by name."""
        self.inputs = {
            name: torch.tensor(value)
            if value.dtype.kind in "iu"
            else torch.tensor(value, dtype=self.dtype, requires_grad=True)
            for name, value in inputs.items()
        }
        nodes = self.network.nodes
        values: list[Any] = []
        self.so_far = values
        self.positions: dict[int, Any] = {}
        self.regions: list[int] = []
        for index, node in enumerate(nodes):
            if node.layer is None:
                values.append(self.inputs[node.name])
                self.regions.append(self.network.inputs[node.name].regions)
                continue
            owner = node
            while owner.shares is not None:
                owner = nodes[owner.shares]
            prefix = owner.name + "."
            tensors = {
                k[len(prefix) :]: v
                for k, v in self.leaves.items()
                if k.startswith(prefix) and "." not in k[len(prefix) :]
            }
            self.index, self.node, self.now = index, node, tensors
            xs = [values[source] for source in node.inputs]
            regions = self.regions[node.inputs[0]]
            if node.kind in ("roipool", "roialign", "psroipool"):
                regions *= node.layer.regions
            self.regions.append(
                max([regions, *(self.regions[s] for s in node.inputs)])
                if node.kind == "mul"
                else regions
            )
            values.append(getattr(self, "do_" + node.kind)(node.layer, *xs))
        self.values = values
        return {node.name: value for node, value in zip(nodes, values, strict=True)}

    # Windows

    def per_axis(self, value: Any, rank: int) -> tuple[int, ...]:
        return tuple(value) if isinstance(value, tuple) else (value,) * rank

    def padded(self, layer: Any, x: Any, fill: float = 0.0, stride: Any = None) -> Any:
        """x with its padding written out, and kernel, stride, dilation."""
        rank = x.ndim - 2
        k = self.per_axis(layer.kernel, rank)
        s = self.per_axis(stride if stride is not None else layer.stride, rank)
        d = self.per_axis(getattr(layer, "dilation", 1), rank)
        amounts = []
        for axis in range(rank):
            n = x.shape[2 + axis]
            if layer.pad == "same":
                out = math.ceil(n / s[axis])
                total = max((out - 1) * s[axis] + d[axis] * (k[axis] - 1) + 1 - n, 0)
                amounts.append((total // 2, total - total // 2))
            else:
                each = self.per_axis(layer.pad, rank)[axis]
                amounts.append(each if isinstance(each, tuple) else (each, each))
        self.amounts = amounts
        flat = [side for pair in reversed(amounts) for side in pair]
        return F.pad(x, flat, value=fill), k, s, d

    def conv(self, layer: Any, x: Any, weight: Any, bias: Any, groups: int) -> Any:
        y, _, s, d = self.padded(layer, x)
        function = (None, F.conv1d, F.conv2d, F.conv3d)[x.ndim - 2]
        return function(y, weight, bias, s, 0, d, groups)

    def do_conv(self, layer: Any, x: Any) -> Any:
        weight, bias = self.now["weight"], self.now.get("bias")
        if layer.connections is None:
            return self.conv(layer, x, weight, bias, layer.groups)
        maps, place = [], 0
        for row, reads in enumerate(layer.connections):
            part = weight[place : place + len(reads)][None]
            one = None if bias is None else bias[row : row + 1]
            maps.append(self.conv(layer, x[:, list(reads)], part, one, 1))
            place += len(reads)
        return torch.cat(maps, 1)

    def do_depthwise(self, layer: Any, x: Any) -> Any:
        return self.conv(layer, x, self.now["weight"], self.now.get("bias"), x.shape[1])

    def do_anchorhead(self, layer: Any, x: Any) -> Any:
        return self.conv(layer, x, self.now["weight"], self.now.get("bias"), 1)

    def do_separableconv(self, layer: Any, x: Any) -> Any:
        middle = self.conv(layer, x, self.now["depthwise"], None, x.shape[1])
        function = (None, F.conv1d, F.conv2d, F.conv3d)[x.ndim - 2]
        return function(middle, self.now["pointwise"], self.now.get("bias"))

    def do_convtranspose(self, layer: Any, x: Any) -> Any:
        rank = x.ndim - 2
        k, s, d = (self.per_axis(v, rank) for v in (layer.kernel, layer.stride, layer.dilation))
        added = self.per_axis(layer.output_padding, rank)
        function = (None, F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[rank]
        # Whole, without padding; then cut.
        y = function(x, self.now["weight"], None, s, 0, 0, layer.groups, d)
        for axis in range(rank):
            full = y.shape[2 + axis]
            if layer.pad == "same":
                span = d[axis] * (k[axis] - 1) + 1
                before = max(span - s[axis], 0) // 2
                length = x.shape[2 + axis] * s[axis] + added[axis]
            else:
                pad = self.per_axis(layer.pad, rank)[axis]
                before, after = pad if isinstance(pad, tuple) else (pad, pad)
                length = full - before - after + added[axis]
            short = max(before + length - full, 0)
            moved = F.pad(y.movedim(2 + axis, -1), (0, short))
            y = moved[..., before : before + length].movedim(-1, 2 + axis)
        bias = self.now.get("bias")
        return y if bias is None else y + bias.reshape(-1, *[1] * rank)

    # Pools

    def pool_stride(self, layer: Any) -> Any:
        return layer.kernel if layer.stride is None else layer.stride

    def windows(self, layer: Any, x: Any, fill: float) -> Any:
        """Every tap of every window: (N, C, *out, taps); those that hang over are `fill`."""
        y, k, s, d = self.padded(layer, x, fill, self.pool_stride(layer))
        rank = x.ndim - 2
        for axis in range(rank):
            n, total = x.shape[2 + axis], y.shape[2]  # what is done stands last
            span = d[axis] * (k[axis] - 1) + 1
            room = total - span
            out = (
                math.ceil(room / s[axis]) if layer.ceil and layer.pad != "same" else room // s[axis]
            ) + 1
            if layer.ceil and (out - 1) * s[axis] >= n + self.amounts[axis][0]:
                out -= 1
            over = max((out - 1) * s[axis] + span - total, 0)
            places = torch.arange(out)[:, None] * s[axis] + torch.arange(k[axis]) * d[axis]
            moved = F.pad(y.movedim(2, -1), (0, over), value=fill)
            y = moved[..., places.reshape(-1)].unflatten(-1, (out, k[axis]))
        # (N, C, out1, k1, out2, k2, ...) to (N, C, out1, out2, ..., k1*k2*...)
        order = [0, 1, *range(2, 2 + 2 * rank, 2), *range(3, 3 + 2 * rank, 2)]
        return y.permute(order).flatten(2 + rank)

    def do_maxpool(self, layer: Any, x: Any) -> Any:
        rank, extents = x.ndim - 2, x.shape[2:]
        places = torch.arange(math.prod(extents)).reshape(1, 1, *extents).to(self.dtype)
        taps = self.windows(layer, x, -math.inf)
        best, which = taps.max(-1)
        where = self.windows(layer, places.expand(*x.shape), -1.0)
        self.positions[self.index] = where.gather(-1, which[..., None])[..., 0].long()
        assert best.ndim == rank + 2
        return best

    def do_avgpool(self, layer: Any, x: Any) -> Any:
        taps = self.windows(layer, x, 0.0)
        inside = torch.ones((1, 1, *x.shape[2:]), dtype=self.dtype)
        if layer.count_include_pad:
            # Padding counts, what hangs over it does not.
            flat = [side for pair in reversed(self.amounts) for side in pair]
            whole = F.pad(inside, flat, value=1.0)
            free = type("Free", (), {})()
            for name in ("kernel", "stride", "dilation", "ceil"):
                setattr(free, name, getattr(layer, name))
            free.stride = self.pool_stride(layer)
            free.pad = 0
            out = taps.shape[2:-1]
            counted = self.windows(free, F.pad(whole, [0, 9] * (x.ndim - 2)), 0.0)
            counted = counted[(..., *[slice(0, n) for n in out], slice(None))].sum(-1)
        else:
            counted = self.windows(layer, inside, 0.0).sum(-1)
        return taps.sum(-1) / counted

    def do_lppool(self, layer: Any, x: Any) -> Any:
        # As torch: the root of the sign times the magnitude.
        total = (self.windows(layer, x, 0.0) ** layer.norm).sum(-1)
        return total.sign() * total.abs() ** (1 / layer.norm)

    def do_subsample(self, layer: Any, x: Any) -> Any:
        shape = (-1, *[1] * (x.ndim - 2))
        factor, bias = (self.now[n].reshape(shape) for n in ("coefficient", "bias"))
        return self.windows(layer, x, 0.0).sum(-1) * factor + bias

    def do_globalavgpool(self, layer: Any, x: Any) -> Any:
        return x.mean(tuple(range(2, x.ndim)), keepdim=True)

    def do_globalmaxpool(self, layer: Any, x: Any) -> Any:
        return x.flatten(2).max(-1).values.reshape(*x.shape[:2], *[1] * (x.ndim - 2))

    def do_adaptiveavgpool(self, layer: Any, x: Any) -> Any:
        function = (None, F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
        return function[x.ndim - 2](x, self.per_axis(layer.size, x.ndim - 2))

    def do_adaptivemaxpool(self, layer: Any, x: Any) -> Any:
        function = (None, F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)
        return function[x.ndim - 2](x, self.per_axis(layer.size, x.ndim - 2))

    def do_maxunpool(self, layer: Any, x: Any, named: Any) -> Any:
        source = self.node.inputs[1]
        pool = self.network.nodes[source]
        before = self.network.nodes[source].inputs[0]
        assert pool.kind == "maxpool"
        extents = tuple(self.values_at(before).shape[2:])
        flat = torch.zeros(*x.shape[:2], math.prod(extents), dtype=self.dtype)
        found = self.positions[source].flatten(2)
        return flat.scatter(2, found, x.flatten(2)).reshape(*x.shape[:2], *extents)

    def values_at(self, index: int) -> Any:
        return self.so_far[index]

    # Regions

    def rows(self, layer: Any, x: Any) -> Any:
        corners = torch.tensor(self.boxes[self.node.name], dtype=self.dtype)
        owners = torch.arange(x.shape[0]).repeat_interleave(layer.regions)
        return owners, corners.reshape(-1, 4)

    def cells(self, layer: Any, corners: Any, x: Any, ends: int) -> Any:
        """For each cell of a rounded box, the slices of the map it covers (Girshick 2015)."""
        rounded = [
            math.floor(abs(float(v) * layer.scale) + 0.5) * (1 if v >= 0 else -1) for v in corners
        ]
        size = self.per_axis(layer.size, 2)
        for i in range(size[0]):
            for j in range(size[1]):
                cut = []
                for cell, m, low, high, n in (
                    (i, size[0], rounded[1], rounded[3], x.shape[2]),
                    (j, size[1], rounded[0], rounded[2], x.shape[3]),
                ):
                    length = max(high - low + ends, 1)
                    first = low + (cell * length) // m
                    last = low - (-(cell + 1) * length) // m
                    cut.append(slice(min(max(first, 0), n), min(max(last, 0), n)))
                yield i, j, cut[0], cut[1]

    def do_roipool(self, layer: Any, x: Any) -> Any:
        size = self.per_axis(layer.size, 2)
        made = []
        for owner, corners in zip(*self.rows(layer, x), strict=True):
            grid: dict[Any, Any] = {}
            for i, j, rows, columns in self.cells(layer, corners, x, 1):
                cell = x[owner, :, rows, columns].flatten(1)
                grid[i, j] = (
                    cell.max(1).values
                    if cell.shape[1]
                    else torch.zeros(x.shape[1], dtype=self.dtype)
                )
            cells = [grid[i, j] for i in range(size[0]) for j in range(size[1])]
            made.append(torch.stack(cells, 1).reshape(-1, *size))
        return torch.stack(made)

    def do_psroipool(self, layer: Any, x: Any) -> Any:
        size = self.per_axis(layer.size, 2)
        channels = x.shape[1] // (size[0] * size[1])
        made = []
        for owner, corners in zip(*self.rows(layer, x), strict=True):
            grid: dict[Any, Any] = {}
            for i, j, rows, columns in self.cells(layer, corners, x, 0):
                maps = [(c * size[0] + i) * size[1] + j for c in range(channels)]
                cell = x[owner, maps, rows, columns].flatten(1)
                grid[i, j] = (
                    cell.mean(1) if cell.shape[1] else torch.zeros(channels, dtype=self.dtype)
                )
            cells = [grid[i, j] for i in range(size[0]) for j in range(size[1])]
            made.append(torch.stack(cells, 1).reshape(channels, *size))
        return torch.stack(made)

    def do_roialign(self, layer: Any, x: Any) -> Any:
        """Samples by `grid_sample` at the border, those off the map 0 (He et al. 2017)."""
        size, samples = self.per_axis(layer.size, 2), layer.samples
        n = x.shape[2:]
        made = []
        for owner, corners in zip(*self.rows(layer, x), strict=True):
            x1, y1, x2, y2 = (float(v) * layer.scale for v in corners)
            along = []
            for low, high, m, extent in ((y1, y2, size[0], n[0]), (x1, x2, size[1], n[1])):
                length = max(high - low, 1.0)
                steps = torch.arange(m * samples, dtype=self.dtype)
                at = low + (steps + 0.5) * length / (m * samples)
                near = (at >= -1) & (at <= extent)
                along.append((at.clamp(0, extent - 1), near))
            (at_y, near_y), (at_x, near_x) = along
            grid = torch.stack(
                torch.broadcast_tensors(
                    at_x[None, :] * 2 / max(n[1] - 1, 1) - 1,
                    at_y[:, None] * 2 / max(n[0] - 1, 1) - 1,
                ),
                -1,
            )
            taken = F.grid_sample(
                x[owner][None], grid[None], align_corners=True, padding_mode="border"
            )[0]
            taken = taken * (near_y[:, None] & near_x[None, :])
            made.append(F.avg_pool2d(taken[None], samples)[0])
        return torch.stack(made)

    # Positions

    def do_upsample(self, layer: Any, x: Any, like: Any = None) -> Any:
        rank = x.ndim - 2
        if like is not None:
            size = tuple(like.shape[2:])
        elif layer.size is not None:
            size = self.per_axis(layer.size, rank)
        else:
            scales = self.per_axis(layer.scale, rank)
            size = tuple(n * s for n, s in zip(x.shape[2:], scales, strict=True))
        if layer.mode == "nails":
            y = torch.zeros(*x.shape[:2], *size, dtype=self.dtype)
            steps = [m // n for n, m in zip(x.shape[2:], size, strict=True)]
            mask = (slice(None), slice(None), *[slice(None, None, s) for s in steps])
            y[mask] = x
            return y
        mode = {"bilinear": (None, "linear", "bilinear", "trilinear")[rank]}.get(
            layer.mode, layer.mode
        )
        aligned = None if layer.mode == "nearest" else layer.align_corners
        return F.interpolate(x, size=size, mode=mode, align_corners=aligned)

    def do_zeropad(self, layer: Any, x: Any) -> Any:
        rank = x.ndim - 2
        each = [p if isinstance(p, tuple) else (p, p) for p in self.per_axis(layer.pad, rank)]
        flat = [side for pair in reversed(each) for side in pair]
        return F.pad(x, [*flat, *layer.channels])

    def do_crop(self, layer: Any, x: Any, like: Any = None) -> Any:
        rank = x.ndim - 2
        size = tuple(like.shape[2:]) if like is not None else self.per_axis(layer.size, rank)
        for axis in range(rank):
            start = (
                (x.shape[2 + axis] - size[axis]) // 2
                if layer.offset == "center"
                else self.per_axis(layer.offset, rank)[axis]
            )
            x = x.narrow(2 + axis, start, size[axis])
        return x

    def do_pixelshuffle(self, layer: Any, x: Any) -> Any:
        r, rank = layer.factor, x.ndim - 2
        y = x.reshape(x.shape[0], -1, *[r] * rank, *x.shape[2:])
        order = [0, 1]
        for axis in range(rank):
            order += [2 + rank + axis, 2 + axis]
        return y.permute(order).reshape(*y.shape[:2], *[n * r for n in x.shape[2:]])

    def do_channelshuffle(self, layer: Any, x: Any) -> Any:
        parts = x.reshape(x.shape[0], layer.groups, -1, *x.shape[2:])
        return parts.transpose(1, 2).reshape(x.shape)

    def do_slice(self, layer: Any, x: Any) -> Any:
        return x[:, layer.channels[0] : layer.channels[1]]

    def do_split(self, layer: Any, x: Any) -> Any:
        parts = layer.parts
        size = list(parts) if isinstance(parts, tuple) else x.shape[1] // parts
        return x.split(size, 1)[layer.part]

    # Linear

    def do_linear(self, layer: Any, x: Any) -> Any:
        y = F.linear(x.movedim(1, -1), self.now["weight"], self.now.get("bias"))
        return y.movedim(-1, 1)

    def do_flatten(self, layer: Any, x: Any) -> Any:
        return x.flatten(1)

    def do_reshape(self, layer: Any, x: Any) -> Any:
        channels, _, spatial = str(layer.shape).partition("@")
        extents = [int(n) for n in spatial.split("x")] if spatial else []
        return x.reshape(x.shape[0], int(channels), *extents)

    def do_permute(self, layer: Any, x: Any) -> Any:
        return x.permute(0, *[axis + 1 for axis in layer.order])

    def do_embedding(self, layer: Any, x: Any) -> Any:
        return F.embedding(x.long(), self.now["weight"]).transpose(1, 2)

    # Sequences

    def do_attention(self, layer: Any, x: Any) -> Any:
        t = self.now
        rows = x.flatten(2).permute(2, 0, 1)
        y, _ = F.multi_head_attention_forward(
            rows, rows, rows, x.shape[1], layer.heads, t["in_projection"], t.get("in_bias"), None,
            None, False, 0.0, t["out_projection"], t.get("out_bias"), need_weights=False,
        )  # fmt: skip
        return y.permute(1, 2, 0).reshape(x.shape)

    def recurrent(self, layer: Any, x: Any, module: Any) -> Any:
        made = module(x.shape[1], layer.hidden, layer.layers, bias=layer.bias, batch_first=True,
                      bidirectional=layer.bidirectional, dtype=self.dtype)  # fmt: skip
        given = {
            name: self.now.get(name, torch.zeros_like(parameter))
            for name, parameter in made.named_parameters()
        }
        y, _ = torch.func.functional_call(made, given, (x.transpose(1, 2),))
        return y.transpose(1, 2) if layer.sequence else y[:, -1]

    def do_rnn(self, layer: Any, x: Any) -> Any:
        return self.recurrent(layer, x, torch.nn.RNN)

    def do_lstm(self, layer: Any, x: Any) -> Any:
        return self.recurrent(layer, x, torch.nn.LSTM)

    def do_gru(self, layer: Any, x: Any) -> Any:
        return self.recurrent(layer, x, torch.nn.GRU)

    # Activations

    def do_relu(self, layer: Any, x: Any) -> Any:
        return F.relu(x)

    def do_relu6(self, layer: Any, x: Any) -> Any:
        return F.relu6(x)

    def do_leakyrelu(self, layer: Any, x: Any) -> Any:
        return F.leaky_relu(x, layer.slope)

    def do_prelu(self, layer: Any, x: Any) -> Any:
        return F.prelu(x, self.now["slope"])

    def do_elu(self, layer: Any, x: Any) -> Any:
        return F.elu(x, layer.alpha)

    def do_selu(self, layer: Any, x: Any) -> Any:
        return F.selu(x)

    def do_gelu(self, layer: Any, x: Any) -> Any:
        return F.gelu(x, approximate=layer.approximate)

    def do_silu(self, layer: Any, x: Any) -> Any:
        return F.silu(x)

    def do_hardswish(self, layer: Any, x: Any) -> Any:
        return x * F.relu6(x + 3) / 6

    def do_hardsigmoid(self, layer: Any, x: Any) -> Any:
        # Torch's own has a sixth of float32 in its backward pass, whatever the type.
        return F.relu6(x + 3) / 6

    def do_sigmoid(self, layer: Any, x: Any) -> Any:
        return torch.sigmoid(x)

    def do_tanh(self, layer: Any, x: Any) -> Any:
        return layer.scale * torch.tanh(layer.slope * x)

    def do_softplus(self, layer: Any, x: Any) -> Any:
        return F.softplus(x)

    def do_maxout(self, layer: Any, x: Any) -> Any:
        return x.reshape(x.shape[0], -1, layer.pieces, *x.shape[2:]).max(2).values

    def do_softmax(self, layer: Any, x: Any) -> Any:
        return F.softmax(x, 1)

    def do_logsoftmax(self, layer: Any, x: Any) -> Any:
        return F.log_softmax(x, 1)

    # Normalisations

    def do_batchnorm(self, layer: Any, x: Any) -> Any:
        mean, var = self.now.get("running_mean"), self.now.get("running_var")
        use = self.training or not layer.track
        if layer.track and self.training:
            mean, var = mean.clone(), var.clone()
            self.running[self.node.name] = (mean, var)
        return F.batch_norm(x, mean, var, self.now.get("weight"), self.now.get("bias"), use,
                            layer.momentum, layer.eps)  # fmt: skip

    def do_instancenorm(self, layer: Any, x: Any) -> Any:
        mean, var = self.now.get("running_mean"), self.now.get("running_var")
        if layer.track and self.training:
            mean, var = mean.clone(), var.clone()
            self.running[self.node.name] = (mean, var)
        return F.instance_norm(x, mean, var, self.now.get("weight"), self.now.get("bias"),
                               self.training or not layer.track, 0.1, layer.eps)  # fmt: skip

    def do_layernorm(self, layer: Any, x: Any) -> Any:
        weight, bias = self.now.get("weight"), self.now.get("bias")
        if layer.over == "channels":
            y = x.movedim(1, -1)
            return F.layer_norm(y, y.shape[-1:], weight, bias, layer.eps).movedim(-1, 1)
        return F.layer_norm(x, x.shape[1:], weight, bias, layer.eps)

    def do_groupnorm(self, layer: Any, x: Any) -> Any:
        return F.group_norm(x, layer.groups, self.now.get("weight"), self.now.get("bias"),
                            layer.eps)  # fmt: skip

    def do_lrn(self, layer: Any, x: Any) -> Any:
        return F.local_response_norm(x, layer.size, layer.alpha, layer.beta, layer.k)

    def do_localcontrastnorm(self, layer: Any, x: Any) -> Any:
        """Jarrett et al. 2009: a Gaussian over all maps, of a quarter of the window."""
        k, rank = layer.kernel, x.ndim - 2
        places = torch.arange(k, dtype=self.dtype) - (k - 1) / 2
        bell = torch.exp(-((places / (k / 4)) ** 2) / 2)
        window = bell
        for _ in range(rank - 1):
            window = window[..., None] * bell
        window = (window / window.sum() / x.shape[1]).expand(1, x.shape[1], *[k] * rank)
        function = (None, F.conv1d, F.conv2d, F.conv3d)[rank]

        def blurred(y: Any) -> Any:
            return function(F.pad(y, [k // 2, (k - 1) - k // 2] * rank), window)

        v = x - blurred(x)
        s = blurred(v**2).sqrt()
        floor = s.mean(tuple(range(1, s.ndim)), keepdim=True)
        return v / torch.maximum(s, floor)

    # The rest

    def do_dropout(self, layer: Any, x: Any) -> Any:
        return x * self.masks[self.node.name] if self.training else x

    def do_droppath(self, layer: Any, x: Any) -> Any:
        return x * self.masks[self.node.name] if self.training else x

    def do_add(self, layer: Any, *xs: Any) -> Any:
        return sum(xs[1:], xs[0])

    def do_mul(self, layer: Any, *xs: Any) -> Any:
        regions = [self.regions[source] for source in self.node.inputs]
        opened = [x.reshape(-1, r, *x.shape[1:]) for x, r in zip(xs, regions, strict=True)]
        return math.prod(opened[1:], start=opened[0]).flatten(0, 1)

    def do_concat(self, layer: Any, *xs: Any) -> Any:
        return torch.cat(xs, 1)

    def do_cross_entropy(self, layer: Any, x: Any) -> Any:
        target = torch.tensor(self.targets[self.node.name])
        return F.cross_entropy(x, target, label_smoothing=layer.smoothing).reshape(1, 1)

    def do_hinge(self, layer: Any, x: Any) -> Any:
        target = torch.tensor(self.targets[self.node.name])
        right = x.gather(1, target[:, None])
        losses = (x - right + layer.margin).clamp(min=0).sum(1) - layer.margin
        return losses.mean().reshape(1, 1)

    def distance(self, x: Any, other: Any) -> Any:
        if other is not None:
            return other
        return torch.tensor(self.targets[self.node.name], dtype=self.dtype)

    def do_l2(self, layer: Any, x: Any, other: Any = None) -> Any:
        return F.mse_loss(x, self.distance(x, other)).reshape(1, 1)

    def do_smooth_l1(self, layer: Any, x: Any, other: Any = None) -> Any:
        return F.smooth_l1_loss(x, self.distance(x, other), beta=layer.beta).reshape(1, 1)
