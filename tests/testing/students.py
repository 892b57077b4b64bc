"""Functions as students write them: plain loops, right or with one mistake.

Nothing here comes from cnncalc. `wrong` names the mistake; without it the function is right.
"""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray


def conv(wrong: str = "") -> Callable[..., Array]:
    """conv2d(x, w, b, stride, padding, dilation, groups)."""

    def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        if wrong == "padding":
            padding = 0
        if wrong == "dilation":
            dilation = 1
        if wrong == "gap":
            dilation += 1
        if wrong == "flip":
            w = w[:, :, ::-1, ::-1]
        if wrong == "flip rows":
            w = w[:, :, ::-1]
        if wrong == "flip columns":
            w = w[:, :, :, ::-1]
        n, _, h, wide = x.shape
        f, cg, kh, kw = w.shape
        how: dict[str, Any] = {"mode": "edge"} if wrong == "edge" else {}
        before, after = padding, padding
        if wrong == "pad after":
            before, after = 0, 2 * padding
        if wrong == "pad before":
            before, after = 2 * padding, 0
        xp = np.pad(x, ((0, 0), (0, 0), (before, after), (before, after)), **how)
        plus = 0 if wrong == "plus one" else 1
        oh = (h + 2 * padding - dilation * (kh - 1) - 1) // stride + plus
        ow = (wide + 2 * padding - dilation * (kw - 1) - 1) // stride + plus
        out = np.zeros((n, f, oh, ow))
        step = 1 if wrong == "stride" else stride
        rows = range(oh - 1 if wrong == "short loop" else oh)
        for e, k, i, j in product(range(n), range(f), rows, range(ow)):
            if wrong == "short loop" and j == ow - 1:
                continue
            group = k // (f // groups)
            if wrong == "groups":
                group = 0
            if wrong == "groups in turn":
                group = k % groups
            total = 0.0
            for q in range(cg):
                if wrong == "first channel" and q > 0:
                    break
                window = xp[
                    e,
                    group * cg + q,
                    i * step : i * step + dilation * (kh - 1) + 1 : dilation,
                    j * step : j * step + dilation * (kw - 1) + 1 : dilation,
                ]
                kernel = w[k, q].T if wrong == "transpose" and kh == kw else w[k, q]
                if wrong == "last channel":
                    total = 0.0
                total += (window * kernel).mean() if wrong == "mean" else (window * kernel).sum()
                if wrong == "bias each channel" and b is not None and q > 0:
                    total += b[k]
            if wrong == "mean":
                total /= cg
            if b is not None and wrong != "bias":
                total += b[0] if wrong == "one bias" else b[k]
            if wrong == "relu":
                total = max(total, 0)
            out[e, k, i, j] = total
        if wrong == "axes":
            return out.transpose(0, 1, 3, 2)
        if wrong == "channels last":
            return out.transpose(0, 2, 3, 1)
        if wrong == "first example":
            out[1:] = 0
        if wrong == "integers":
            return out.astype(int)
        if wrong == "float32":
            return out.astype(np.float32)
        if wrong == "list":
            return out.tolist()
        if wrong == "nan":
            out[0, 0, 0, 0] = np.nan
        return out

    return conv2d


def conv_backward(wrong: str = "") -> Callable[..., tuple[Array, ...]]:
    """conv2d_backward(dout, x, w, b, stride, padding, dilation, groups)."""

    def conv2d_backward(dout, x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        if wrong == "dilation":
            dilation = 1
        n, _, h, wide = x.shape
        f, cg, kh, kw = w.shape
        _, _, oh, ow = dout.shape
        # Room behind the input, for the mistakes that write further than it reaches.
        xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        if wrong == "dw padding":
            late = ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding))
            xp = np.pad(x, late)
        dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), np.zeros(f)
        for e, k, i, j in product(range(n), range(f), range(oh), range(ow)):
            first = k // (f // groups) * cg
            at = dout[e, k, i, j]
            step = 1 if wrong in ("dx stride", "dw stride") else stride
            own = step if wrong == "dx stride" else stride
            other = step if wrong == "dw stride" else stride

            def span(s, i=i, j=j):
                return (
                    slice(i * s, i * s + dilation * (kh - 1) + 1, dilation),
                    slice(j * s, j * s + dilation * (kw - 1) + 1, dilation),
                )

            target = (e, slice(first, first + cg), *span(own))
            kernel = w[k, :, ::-1, ::-1] if wrong == "dx flip" else w[k]
            if wrong == "overwritten":
                dxp[target] = at * kernel
            elif wrong != "last filter" or k == f - 1:
                dxp[target] += at * kernel
            source = (e, slice(first, first + cg), *span(other))
            if wrong == "last example" and e < n - 1:
                continue
            dw[k] += (1.0 if wrong == "upstream" else at) * xp[source]
            db[k] += at
        dx = dxp[:, :, padding : padding + h, padding : padding + wide]
        if wrong == "padding kept":
            dx = dxp
        if wrong == "padding cut behind":
            dx = dxp[:, :, :h, :wide]
        if wrong == "dw flip":
            dw = dw[:, :, ::-1, ::-1]
        if wrong == "dw mean":
            dw = dw / (oh * ow)
        if wrong == "batch mean":
            dw, db = dw / n, db / n
        if wrong == "db one":
            db = np.ones(f)
        if wrong == "db axis":
            db = dout.sum((1, 2, 3))
        if wrong == "db batch":
            db = dout.sum(0)
        if wrong == "db mean":
            db = dout.mean((0, 2, 3))
        if wrong == "sign":
            dx = -dx
        if wrong == "exchanged":
            return dw, dx, db
        if wrong == "one missing":
            return dx, dw
        if wrong == "twice":
            dw = 2 * dw
        return (dx, dw, db) if b is not None else (dx, dw, None)

    return conv2d_backward


def conv_transpose(wrong: str = "") -> Callable[..., Array]:
    """conv_transpose2d(x, w, b, stride, padding)."""

    def conv_transpose2d(x, w, b=None, stride=1, padding=0):
        n, _, h, wide = x.shape
        _, f, kh, kw = w.shape
        if wrong == "stride":
            stride = 1
        cut = 0 if wrong == "padding" else padding
        if wrong == "flip":
            w = w[:, :, ::-1, ::-1]
        full = np.zeros((n, f, (h - 1) * stride + kh, (wide - 1) * stride + kw))
        for i, j in product(range(h), range(wide)):
            part = np.einsum("nc,cfuv->nfuv", x[:, :, i, j], w)
            rows = slice(i * stride, i * stride + kh)
            columns = slice(j * stride, j * stride + kw)
            if wrong == "overwritten":
                full[:, :, rows, columns] = part
            else:
                full[:, :, rows, columns] += part
        out = full[:, :, cut : full.shape[2] - cut, cut : full.shape[3] - cut]
        if b is not None and wrong != "bias":
            out = out + b[:, None, None]
        return out

    return conv_transpose2d


def max_pool(wrong: str = "") -> Callable[..., Array]:
    """max_pool2d(x, kernel_size, stride, padding)."""

    def max_pool2d(x, kernel_size, stride=None, padding=0):
        kh, kw = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        if wrong == "swapped":
            kh, kw = kw, kh
        fill = 0.0 if wrong == "zero padding" else -np.inf
        xp = np.pad(
            x,
            ((0, 0), (0, 0), (padding, padding), (padding, padding)),
            constant_values=fill,
        )
        step = kh if wrong == "stride" else stride
        oh = (xp.shape[2] - kh) // step + 1
        ow = (xp.shape[3] - kw) // step + 1
        out = np.zeros((*x.shape[:2], oh, ow))
        for i, j in product(range(oh), range(ow)):
            window = xp[:, :, i * step : i * step + kh, j * step : j * step + kw]
            best = window.max((2, 3))
            if wrong == "average":
                best = np.where(np.isfinite(window), window, 0).mean((2, 3))
            if wrong == "from zero":
                best = np.maximum(best, 0)
            if wrong == "minimum":
                best = window.min((2, 3))
            out[:, :, i, j] = best
        return out

    return max_pool2d


def max_pool_backward(wrong: str = "") -> Callable[..., Array]:
    """max_pool2d_backward(dout, x, kernel_size, stride, padding)."""

    def max_pool2d_backward(dout, x, kernel_size, stride, padding=0):
        kh, kw = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        h, wide = x.shape[2:]
        around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
        xp = np.pad(x, around, constant_values=-np.inf)
        dxp = np.zeros_like(xp)
        step = 1 if wrong == "stride" else stride
        for n, c, i, j in np.ndindex(*dout.shape):
            at = (
                n,
                c,
                slice(i * step, i * step + kh),
                slice(j * step, j * step + kw),
            )
            window, g = xp[at], dout[n, c, i, j]
            mask = np.zeros_like(window)
            mask.flat[window.argmax()] = 1
            if wrong == "everything":
                mask[:] = 1
            if wrong == "spread":
                mask[:] = 1 / mask.size
            if wrong in ("ties", "split"):
                mask = (window == window.max()) * 1.0
            if wrong == "split":
                mask /= mask.sum()
            if wrong == "last tie":
                mask[:] = 0
                mask.flat[mask.size - 1 - window[::-1, ::-1].argmax()] = 1
            if wrong == "upstream":
                g = 1.0
            if wrong == "overwritten":
                dxp[at] = mask * g
            elif wrong == "placed":
                dxp[at][mask > 0] = g
            else:
                dxp[at] += mask * g
        return dxp[:, :, padding : padding + h, padding : padding + wide]

    return max_pool2d_backward


def avg_pool(wrong: str = "") -> Callable[..., Array]:
    """avg_pool2d(x, kernel_size, stride, padding)."""

    def avg_pool2d(x, kernel_size, stride, padding=0):
        kh, kw = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
        xp, inside = np.pad(x, around), np.pad(np.ones_like(x), around)
        oh, ow = (xp.shape[2] - kh) // stride + 1, (xp.shape[3] - kw) // stride + 1
        out = np.zeros((*x.shape[:2], oh, ow))
        for i, j in product(range(oh), range(ow)):
            rows, columns = slice(i * stride, i * stride + kh), slice(j * stride, j * stride + kw)
            total = xp[:, :, rows, columns].sum((2, 3))
            divisor = inside[:, :, rows, columns].sum((2, 3)) if wrong == "valid" else kh * kw
            if wrong == "one side":
                divisor = kh
            out[:, :, i, j] = total if wrong == "sum" else total / divisor
        return out

    return avg_pool2d


def avg_pool_backward(wrong: str = "") -> Callable[..., Array]:
    """avg_pool2d_backward(dout, x, kernel_size, stride, padding)."""

    def avg_pool2d_backward(dout, x, kernel_size, stride, padding=0):
        kh, kw = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        h, wide = x.shape[2:]
        dxp = np.zeros((*x.shape[:2], h + 2 * padding, wide + 2 * padding))
        step = 1 if wrong == "stride" else stride
        for i, j in product(range(dout.shape[2]), range(dout.shape[3])):
            share = dout[:, :, i, j, None, None] / (1 if wrong == "divide" else kh * kw)
            rows, columns = slice(i * step, i * step + kh), slice(j * step, j * step + kw)
            if wrong == "overwritten":
                dxp[:, :, rows, columns] = share
            else:
                dxp[:, :, rows, columns] += share
        return dxp[:, :, padding : padding + h, padding : padding + wide]

    return avg_pool2d_backward


def linear(wrong: str = "") -> Callable[..., Array]:
    """linear(x, w, b)."""

    def linear(x, w, b=None):
        out = x @ w.T
        return out if b is None or wrong == "bias" else out + b

    return linear


def linear_backward(wrong: str = "") -> Callable[..., tuple[Array, ...]]:
    """linear_backward(dout, x, w, b)."""

    def linear_backward(dout, x, w, b=None):
        dx, dw, db = dout @ w, dout.T @ x, dout.sum(0)
        if wrong == "transpose":
            dw = dw.T
        if wrong == "mean":
            dw, db = dw / len(x), db / len(x)
        if wrong == "db mean":
            db = dout.mean(0)
        if wrong == "db axis":
            db = dout.sum(1)
        if wrong == "db kept":
            db = dout.sum(0, keepdims=True)
        if wrong == "upstream":
            dw = np.ones_like(dout).T @ x
        if wrong == "last":
            dw = np.outer(dout[-1], x[-1])
        return (dx, dw, db) if b is not None else (dx, dw, None)

    return linear_backward


def batch_norm(wrong: str = "") -> Callable[..., Array]:
    """batch_norm(x, gamma, beta, eps)."""

    def batch_norm(x, gamma, beta, eps):
        axes = (0, *range(2, x.ndim))
        if wrong == "rows":
            axes = tuple(range(1, x.ndim))
        if wrong == "batch only":
            axes = (0,)
        around = (1, -1, *[1] * (x.ndim - 2))
        mean = x.mean(axes, keepdims=True)
        var = x.var(axes, keepdims=True, ddof=1 if wrong == "unbiased" else 0)
        if wrong == "root":
            normal = (x - mean) / (var + eps)
        elif wrong == "eps outside":
            normal = (x - mean) / (np.sqrt(var) + eps)
        elif wrong == "eps":
            normal = (x - mean) / np.sqrt(var + 1e-5)
        else:
            normal = (x - mean) / np.sqrt(var + eps)
        if wrong == "affine":
            return normal
        if wrong == "beta":
            return normal * gamma.reshape(around)
        return normal * gamma.reshape(around) + beta.reshape(around)

    return batch_norm


def batch_norm_backward(wrong: str = "") -> Callable[..., tuple[Array, ...]]:
    """batch_norm_backward(dout, x, gamma, beta, eps)."""

    def batch_norm_backward(dout, x, gamma, beta, eps):
        axes = (0, *range(2, x.ndim))
        around = (1, -1, *[1] * (x.ndim - 2))
        mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        root = np.sqrt(var + eps)
        normal = (x - mean) / root
        inner = dout if wrong == "gamma" else dout * gamma.reshape(around)
        dx = inner / root
        if wrong not in ("constant", "mean constant"):
            dx = dx - inner.mean(axes, keepdims=True) / root
        if wrong not in ("constant", "variance constant"):
            dx = dx - normal * (inner * normal).mean(axes, keepdims=True) / root
        of = x if wrong == "dgamma" else normal
        dbeta = dout.mean(axes) if wrong == "dbeta" else dout.sum(axes)
        return dx, (dout * of).sum(axes), dbeta

    return batch_norm_backward


def layer_norm(wrong: str = "") -> Callable[..., Array]:
    """layer_norm(x, gamma, beta, eps)."""

    def layer_norm(x, gamma, beta, eps):
        axes = (0,) if wrong == "batch" else tuple(range(1, x.ndim))
        mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        return (x - mean) / np.sqrt(var + eps) * gamma + beta

    return layer_norm


def softmax(wrong: str = "") -> Callable[..., Array]:
    """softmax(x)."""

    def softmax(x):
        axis = 0 if wrong == "axis" else 1
        shifted = x if wrong == "overflow" else x - x.max(axis, keepdims=True)
        power = np.exp(shifted)
        if wrong == "sum":
            return power
        if wrong == "everything":
            power = np.exp(x - x.max())
            return power / power.sum()
        return power / power.sum(axis, keepdims=True)

    return softmax


def softmax_backward(wrong: str = "") -> Callable[..., Array]:
    """softmax_backward(dout, x)."""

    def softmax_backward(dout, x):
        s = softmax()(x)
        if wrong == "diagonal":
            return dout * s * (1 - s)
        axis = 0 if wrong == "axis" else 1
        return s * (dout - (dout * s).sum(axis, keepdims=True))

    return softmax_backward


def cross_entropy(wrong: str = "") -> Callable[..., float]:
    """cross_entropy(x, y)."""

    def cross_entropy(x, y):
        shifted = x - x.max(1, keepdims=True)
        log = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        losses = -log[np.arange(len(y)), y]
        if wrong == "base":
            losses = losses / np.log(2)
        if wrong == "softmax":
            losses = -x[np.arange(len(y)), y]
        if wrong == "sign":
            losses = -losses
        return losses.sum() if wrong == "sum" else losses.mean()

    return cross_entropy


def cross_entropy_backward(wrong: str = "") -> Callable[..., Array]:
    """cross_entropy_backward(x, y)."""

    def cross_entropy_backward(x, y):
        dx = softmax()(x)
        if wrong == "divided first":
            dx = dx / len(y)
        if wrong != "label":
            dx[np.arange(len(y)), y] -= 1
        return dx if wrong in ("mean", "divided first") else dx / len(y)

    return cross_entropy_backward


def dropout(wrong: str = "") -> Callable[..., Array]:
    """dropout(x, p, training)."""

    def dropout(x, p, training):
        if not training:
            return x * (1 - p) if wrong == "scaled twice" else x
        shape = {"rows": (len(x), 1), "columns": (1, x.shape[1])}.get(wrong, x.shape)
        keep = np.random.rand(*shape) > (1 - p if wrong == "keep" else p)
        if wrong == "nothing":
            return x
        if wrong == "unscaled":
            return x * keep
        return x * keep / (p if wrong == "by p" else 1 - p)

    return dropout
