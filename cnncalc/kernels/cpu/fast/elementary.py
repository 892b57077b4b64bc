"""The exponential and the hyperbolic tangent without branches or calls, for vector loops.

``exp(x) = 2**n * exp(r)`` with n the whole number nearest to x/ln 2 and ``|r| <= ln(2)/2``,
where a polynomial is exact to the last bit or two (Cody and Waite 1980, chapter 6).
Fused products keep r exact. Measured against higher precision: at most 1.1 units in the last
place for exp, 3 for tanh.
"""

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic, overload

from cnncalc.kernels.cpu.compiling import kernel

_f4, _f8 = np.float32, np.float64

# Adding and subtracting 1.5*2**(bits of the mantissa) rounds to a whole number.
_ROUND4, _ROUND8 = _f4(12582912.0), _f8(6755399441055744.0)
_LOG2E4, _LOG2E8 = _f4(math.log2(math.e)), math.log2(math.e)
# ln 2 in two parts, the first with so few digits that its products with n are exact.
_LN2_HIGH4, _LN2_LOW4 = _f4(0.693359375), _f4(-2.12194440e-4)
_LN2_HIGH8, _LN2_LOW8 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# Beyond these, exp is inf or 0 for certain.
_MOST4, _LEAST4 = _f4(89.0), _f4(-104.0)
_MOST8, _LEAST8 = 710.0, -746.0

# Taylor's coefficients; with r this small, a fitted polynomial would gain one term.
_P2, _P3, _P4, _P5, _P6, _P7 = (_f4(1 / math.factorial(k)) for k in range(2, 8))
(_Q2, _Q3, _Q4, _Q5, _Q6, _Q7, _Q8, _Q9, _Q10, _Q11, _Q12, _Q13) = (
    1 / math.factorial(k) for k in range(2, 14)
)


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """``a*b + c``, rounded once."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return a(a, a, a), generate


@kernel
def _exp4(x: Any) -> Any:
    v = _LEAST4 if x < _LEAST4 else _MOST4 if x > _MOST4 else x
    n = fma(v, _LOG2E4, _ROUND4) - _ROUND4
    r = fma(n, -_LN2_LOW4, fma(n, -_LN2_HIGH4, v))
    y = fma(fma(fma(fma(fma(_P7, r, _P6), r, _P5), r, _P4), r, _P3), r, _P2)
    y = fma(r * r, y, r) + _f4(1)
    # In two halves, as 2**n alone may be beyond the largest or below the smallest number.
    half = np.int32(n) >> np.int32(1)
    rest = np.int32(n) - half
    low = np.int32((half + np.int32(127)) << np.int32(23)).view(np.float32)
    high = np.int32((rest + np.int32(127)) << np.int32(23)).view(np.float32)
    return y * low * high


@kernel
def _near_exp4(x: Any) -> Any:
    """The same for 0 <= x < 44, where 2**n is an ordinary number; what is larger is 44."""
    v = _f4(44) if x > _f4(44) else x
    n = fma(v, _LOG2E4, _ROUND4) - _ROUND4
    r = fma(n, -_LN2_LOW4, fma(n, -_LN2_HIGH4, v))
    y = fma(fma(fma(fma(fma(_P7, r, _P6), r, _P5), r, _P4), r, _P3), r, _P2)
    y = fma(r * r, y, r) + _f4(1)
    return y * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)


@kernel
def _exp8(x: Any) -> Any:
    v = _LEAST8 if x < _LEAST8 else _MOST8 if x > _MOST8 else x
    n = fma(v, _LOG2E8, _ROUND8) - _ROUND8
    r = fma(n, -_LN2_LOW8, fma(n, -_LN2_HIGH8, v))
    # The terms in pairs, pairs of pairs and so on (Estrin): short chains keep the units busy.
    r2 = r * r
    r4 = r2 * r2
    low = fma(r2, fma(_Q5, r, _Q4), fma(_Q3, r, _Q2))
    middle = fma(r2, fma(_Q9, r, _Q8), fma(_Q7, r, _Q6))
    high = fma(r2, fma(_Q13, r, _Q12), fma(_Q11, r, _Q10))
    y = fma(r2, fma(r4, fma(r4, high, middle), low), r) + 1.0
    whole = np.int64(np.int32(n))
    half = whole >> np.int64(1)
    rest = whole - half
    first = np.int64((half + np.int64(1023)) << np.int64(52)).view(np.float64)
    second = np.int64((rest + np.int64(1023)) << np.int64(52)).view(np.float64)
    return y * first * second


@intrinsic
def wide(typingctx: Any) -> Any:
    """Have the loop that this stands in use the widest vectors there are.

    LLVM keeps to 256 bits on some machines with 512, where old ones slowed their clock; a loop
    of many products and little memory is faster by a third with all of them.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # llvmlite knows no attributes with values, but writes what is in the set.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


def exp(x: Any) -> Any:
    """The exponential of a float32 or float64, in that type."""
    return np.exp(x)


@overload(exp)
def _compiled_exp(x: Any) -> Any:
    narrow = x == types.float32

    def wide_formula(x: Any) -> Any:
        return _exp8(x)

    def narrow_formula(x: Any) -> Any:
        return _exp4(x)

    return narrow_formula if narrow else wide_formula


@kernel
def sigmoid(x: Any, one: Any) -> Any:
    """``1 / (1 + exp(-x))``, with the 1 of x's type."""
    return one / (one + exp(-x))


# Cephes' approximations of tanh near 0, x + x**3*P(x**2)/Q(x**2), for |x| < 0.625.
_T0, _T1, _T2, _T3, _T4 = (
    _f4(c)
    for c in (
        -5.70498872745e-3,
        2.06390887954e-2,
        -5.37397155531e-2,
        1.33314422036e-1,
        -3.33332819422e-1,
    )
)
_U0, _U1, _U2 = -9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3
_V0, _V1, _V2 = 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3


@kernel
def _tanh4(x: Any) -> Any:
    z = x * x
    near = fma(fma(fma(fma(_T0, z, _T1), z, _T2), z, _T3), z, _T4)
    near = fma(z * x, near, x)
    away = _f4(1) - _f4(2) / (_near_exp4(abs(x) * _f4(2)) + _f4(1))
    away = -away if x < _f4(0) else away
    return near if abs(x) < _f4(0.625) else away


@kernel
def _tanh8(x: Any) -> Any:
    z = x * x
    top = fma(fma(_U0, z, _U1), z, _U2)
    bottom = fma(fma(z + _V0, z, _V1), z, _V2)
    near = fma(z * x, top / bottom, x)
    away = 1.0 - 2.0 / (_exp8(abs(x) * 2.0) + 1.0)
    away = -away if x < 0.0 else away
    return near if abs(x) < 0.625 else away


def tanh(x: Any) -> Any:
    """The hyperbolic tangent of a float32 or float64, in that type."""
    return np.tanh(x)


@overload(tanh)
def _compiled_tanh(x: Any) -> Any:
    narrow = x == types.float32

    def wide_formula(x: Any) -> Any:
        return _tanh8(x)

    def narrow_formula(x: Any) -> Any:
        return _tanh4(x)

    return narrow_formula if narrow else wide_formula
