"""Numba's compiler as the kernels use it: cached on disk, announced, never in the way.

Numba keys its cache by the file that defines a function, so it would run old machine
code when the change is in a kernel called from another file. Here the key is a digest
of the file and of every file of the package that it imports, directly or not. A cache
that cannot be read or written is done without.
"""

import ast
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numba
from numba.core import caching

if TYPE_CHECKING:
    prange = range
else:
    from numba import prange

__all__ = ["announce", "digest", "kernel", "prange", "reporting", "to_standard_error"]

_F = TypeVar("_F", bound=Callable[..., Any])

#: Called before a compilation with the kernel ("convolution._forward") and the
#: floating-point types it is compiled for ("float32"), if any.
Report = Callable[[str, str], None]

_PACKAGE = "cnncalc.kernels"
_ROOT = Path(__file__).parents[1]

_report: Report | None = None


@overload
def kernel(function: _F) -> _F: ...
@overload
def kernel(*, parallel: bool = False, inline: bool = False) -> Callable[[_F], _F]: ...
def kernel(function: Any = None, *, parallel: bool = False, inline: bool = False) -> Any:
    """Compile a function for the types it is called with, when it is first called.

    Division by zero gives inf or NaN, as in NumPy. `parallel` runs its `prange` loops on
    all threads. `inline` puts the function's code into its callers: for short loops, where the
    call (an array is seven arguments, counted twice) would cost more than the work. The
    function itself stays at hand as ``.py_func``.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        made = numba.njit(
            nogil=True,
            error_model="numpy",
            parallel=parallel,
            inline="always" if inline else "never",
        )(function)
        if isinstance(made, numba.core.dispatcher.Dispatcher):  # else NUMBA_DISABLE_JIT is set
            made._cache = _cache_of(function)
        return made

    return compiled if function is None else compiled(function)


@contextmanager
def reporting(report: Report) -> Iterator[None]:
    """Have `report` called before each compilation; what the cache holds is not compiled."""
    global _report  # noqa: PLW0603
    before, _report = _report, report
    try:
        yield
    finally:
        _report = before


def to_standard_error(name: str, types: str) -> None:
    """Say on standard error what is being compiled."""
    sys.stderr.write(f"compiling {name}{' for ' * bool(types)}{types}\n")
    sys.stderr.flush()


def announce(function: Callable[..., Any], signature: Any) -> None:
    """Tell who listens that a kernel is about to be compiled for these types."""
    if _report is not None:
        family = function.__module__.rpartition(".")[2]
        types = dict.fromkeys(str(getattr(each, "dtype", each)) for each in signature)
        floats = ", ".join(each for each in types if each.startswith("float"))
        _report(f"{family}.{function.__name__}", floats)


class _Unstored(caching.NullCache):  # type: ignore[misc]  # numba is untyped
    """No cache: only announces what is compiled."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def load_overload(self, sig: Any, target_context: Any) -> None:
        announce(self._function, sig)


class _Place(caching.CompileResultCacheImpl):  # type: ignore[misc]
    """Files named after the digest of the sources, so that stale ones are never read."""

    def get_filename_base(self, fullname: str, abiflags: str) -> str:
        self.unversioned: str = super().get_filename_base(fullname, abiflags)
        return f"{self.unversioned}-{digest(Path(self.locator._py_file))}"


class _Stored(caching.FunctionCache):  # type: ignore[misc]
    """Numba's cache, except that a damaged or read-only one is as good as none."""

    _impl_class = _Place

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        try:
            found = self._load_overload(sig, target_context)
        except Exception:  # whatever a damaged file makes the unpickler raise
            found = None
            self._remove()
        if found is None:
            announce(self._py_func, sig)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            self._remove(keep=self._impl.filename_base)
            self._save_overload(sig, data)
        except OSError:  # full or read-only
            return

    def _remove(self, keep: str | None = None) -> None:
        for path in Path(self.cache_path).glob(f"{self._impl.unversioned}-*.nb[ic]"):
            if keep is None or not path.name.startswith(keep):
                with suppress(OSError):
                    path.unlink()


def _cache_of(function: Callable[..., Any]) -> Any:
    try:
        return _Stored(function)
    except (RuntimeError, OSError):  # numba found no directory it may write to
        return _Unstored(function)


@cache
def digest(path: Path) -> str:
    """A digest of a source file and of the kernels' files it imports, directly or not."""
    seen: set[Path] = set()
    waiting = [path]
    digest = hashlib.sha256()
    while waiting:
        source = waiting.pop()
        if source in seen:
            continue
        seen.add(source)
        text = source.read_bytes()
        digest.update(hashlib.sha256(text).digest())
        waiting += _imported(text)
    return digest.hexdigest()[:16]


@cache
def _imported(source: bytes) -> list[Path]:
    """The kernels' files that a source imports, in the order of its text."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        found += [file for name in names for file in _file(name)]
    return found


def _file(module: str) -> list[Path]:
    """The file of a module of the kernels, if that is what the name names."""
    if not module.startswith(f"{_PACKAGE}."):
        return []
    path = _ROOT.joinpath(*module.removeprefix(f"{_PACKAGE}.").split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return [candidate for candidate in candidates if candidate.is_file()]
