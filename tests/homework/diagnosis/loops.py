"""Convolution and its gradients as plain loops over (C, H, W), for the tests of wrong arrays."""

import numpy as np


def correlated(x, w, b=(0, 0), stride=1, pad=0):
    """Y[f, i, j] = b[f] + the sum of x under the kernel times the kernel."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    filters, _, kh, kw = w.shape
    rows, columns = (x.shape[1] - kh) // stride + 1, (x.shape[2] - kw) // stride + 1
    y = np.zeros((filters, rows, columns))
    for f in range(filters):
        for i in range(rows):
            for j in range(columns):
                under = x[:, i * stride : i * stride + kh, j * stride : j * stride + kw]
                y[f, i, j] = (under * w[f]).sum() + b[f]
    return y


def weight_gradient(x, dy, kernel, stride=1, pad=0):
    """DW[f, c] = the sum of dy[f] times what of x each tap saw."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    dw = np.zeros((dy.shape[0], x.shape[0], *kernel))
    for f, i, j in np.ndindex(*dy.shape):
        top, left = i * stride, j * stride
        dw[f] += dy[f, i, j] * x[:, top : top + kernel[0], left : left + kernel[1]]
    return dw


def input_gradient(shape, w, dy, stride=1, pad=0):
    """DX: dy[f, i, j] times the kernel, added where the kernel stood."""
    dx = np.zeros((shape[0], shape[1] + 2 * pad, shape[2] + 2 * pad))
    for f, i, j in np.ndindex(*dy.shape):
        top, left = i * stride, j * stride
        dx[:, top : top + w.shape[2], left : left + w.shape[3]] += dy[f, i, j] * w[f]
    return dx[:, pad : pad + shape[1], pad : pad + shape[2]]
