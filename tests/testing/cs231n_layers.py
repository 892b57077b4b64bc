"""CS231n's layers as its assignments ask for them, written without cnncalc."""

import numpy as np


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(0)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    n, _, h, wide = x.shape
    f, _, hh, ww = w.shape
    assert (h + 2 * pad - hh) % stride == 0, "height does not work"
    assert (wide + 2 * pad - ww) % stride == 0, "width does not work"
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((n, f, 1 + (h + 2 * pad - hh) // stride, 1 + (wide + 2 * pad - ww) // stride))
    for i, k, p, q in np.ndindex(*out.shape):
        rows, columns = slice(p * stride, p * stride + hh), slice(q * stride, q * stride + ww)
        out[i, k, p, q] = np.sum(xp[i, :, rows, columns] * w[k]) + b[k]
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), np.zeros_like(b)
    hh, ww = w.shape[2:]
    for i, k, p, q in np.ndindex(*dout.shape):
        rows, columns = slice(p * stride, p * stride + hh), slice(q * stride, q * stride + ww)
        dw[k] += dout[i, k, p, q] * xp[i, :, rows, columns]
        dxp[i, :, rows, columns] += dout[i, k, p, q] * w[k]
        db[k] += dout[i, k, p, q]
    return dxp[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]], dw, db


def max_pool_forward_naive(x, pool_param):
    height, width = pool_param["pool_height"], pool_param["pool_width"]
    stride = pool_param["stride"]
    out_h = 1 + (x.shape[2] - height) // stride
    out_w = 1 + (x.shape[3] - width) // stride
    out = np.zeros((*x.shape[:2], out_h, out_w))
    for p, q in np.ndindex(out_h, out_w):
        window = x[:, :, p * stride : p * stride + height, q * stride : q * stride + width]
        out[:, :, p, q] = window.max((2, 3))
    return out, (x, pool_param)


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    height, width = pool_param["pool_height"], pool_param["pool_width"]
    stride = pool_param["stride"]
    dx = np.zeros_like(x)
    for n, c, p, q in np.ndindex(*dout.shape):
        at = (
            n,
            c,
            slice(p * stride, p * stride + height),
            slice(q * stride, q * stride + width),
        )
        # As the course's own solutions do it: every one of equal maxima.
        dx[at] += (x[at] == x[at].max()) * dout[n, c, p, q]
    return dx


def batchnorm_forward(x, gamma, beta, bn_param):
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    mean, var = bn_param["running_mean"], bn_param["running_var"]
    if bn_param["mode"] == "test":
        return gamma * (x - mean) / np.sqrt(var + eps) + beta, None
    mu, sigma = x.mean(0), x.var(0)
    normal = (x - mu) / np.sqrt(sigma + eps)
    bn_param["running_mean"] = momentum * mean + (1 - momentum) * mu
    bn_param["running_var"] = momentum * var + (1 - momentum) * sigma
    return gamma * normal + beta, (normal, gamma, np.sqrt(sigma + eps))


def batchnorm_backward(dout, cache):
    normal, gamma, root = cache
    inner = dout * gamma
    dx = (inner - inner.mean(0) - normal * (inner * normal).mean(0)) / root
    return dx, (dout * normal).sum(0), dout.sum(0)


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    n, c, h, w = x.shape
    rows, cache = batchnorm_forward(x.transpose(0, 2, 3, 1).reshape(-1, c), gamma, beta, bn_param)
    return rows.reshape(n, h, w, c).transpose(0, 3, 1, 2), cache


def spatial_batchnorm_backward(dout, cache):
    n, c, h, w = dout.shape
    dx, dgamma, dbeta = batchnorm_backward(dout.transpose(0, 2, 3, 1).reshape(-1, c), cache)
    return dx.reshape(n, h, w, c).transpose(0, 3, 1, 2), dgamma, dbeta


def layernorm_forward(x, gamma, beta, ln_param):
    root = np.sqrt(x.var(1, keepdims=True) + ln_param.get("eps", 1e-5))
    normal = (x - x.mean(1, keepdims=True)) / root
    return gamma * normal + beta, (normal, gamma, root)


def layernorm_backward(dout, cache):
    normal, gamma, root = cache
    inner = dout * gamma
    along = (inner * normal).mean(1, keepdims=True)
    dx = (inner - inner.mean(1, keepdims=True) - normal * along) / root
    return dx, (dout * normal).sum(0), dout.sum(0)


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    parts = x.reshape(len(x), G, -1)
    root = np.sqrt(parts.var(2, keepdims=True) + gn_param.get("eps", 1e-5))
    normal = ((parts - parts.mean(2, keepdims=True)) / root).reshape(x.shape)
    return gamma * normal + beta, (normal, gamma, root, G)


def spatial_groupnorm_backward(dout, cache):
    normal, gamma, root, groups = cache
    shape = (len(dout), groups, -1)
    inner, flat = (dout * gamma).reshape(shape), normal.reshape(shape)
    along = (inner * flat).mean(2, keepdims=True)
    dx = ((inner - inner.mean(2, keepdims=True) - flat * along) / root).reshape(dout.shape)
    over = (0, 2, 3)
    return dx, (dout * normal).sum(over, keepdims=True), dout.sum(over, keepdims=True)


def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    np.random.seed(dropout_param["seed"])
    if mode == "test":
        return x, (dropout_param, None)
    mask = (np.random.rand(*x.shape) < p) / p
    return x * mask, (dropout_param, mask)


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    return dout if dropout_param["mode"] == "test" else dout * mask


def softmax_loss(x, y):
    shifted = x - x.max(1, keepdims=True)
    log = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    dx = np.exp(log)
    dx[np.arange(len(y)), y] -= 1
    return -log[np.arange(len(y)), y].mean(), dx / len(y)


def svm_loss(x, y):
    rows = np.arange(len(y))
    margins = np.maximum(0, x - x[rows, y][:, None] + 1.0)
    margins[rows, y] = 0
    dx = (margins > 0).astype(float)
    dx[rows, y] -= (margins > 0).sum(1)
    return margins.sum() / len(y), dx / len(y)
