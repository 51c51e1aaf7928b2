"""Numeric loops as machine code: `@compiled("f8(f8[::1], f8)")` above what is called from outside, `@part` above what
only compiled code calls.

Compiled when the module is imported, for the stated types alone, never in the middle of a session; kept on disk beside
the source (or in the user's cache folder), so that only the first import after a change pays for it. Where neither can
be written it is compiled at each start. Strict IEEE arithmetic in one thread: the same numbers on the same processor,
to the bit. Divisions by 0 give inf or NaN, as in numpy.

What is kept on disk goes with one source file, by its date and size: compiled code may call parts and read constants
of its own file, and of no other one, or it would go on with what those used to be. So some short parts stand in two.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(signature: str) -> Callable[[F], F]:
    """The function as machine code for these types (f8, i8, b1; `[::1]`: a contiguous array)."""

    def decorate(function: F) -> F:
        try:
            return _kept(signature, function)
        except (EOFError, pickle.UnpicklingError):  # what was kept is cut off, as after a power cut
            return _renewed(signature, function)
        except (RuntimeError, OSError):  # numba's word for a cache that cannot be written; a disk that is full
            return _unkept(signature, function)

    return decorate


def _kept(signature: str, function: F) -> F:
    return cast(F, njit(signature, cache=True, error_model="numpy")(function))


def _unkept(signature: str, function: F) -> F:
    return cast(F, njit(signature, error_model="numpy")(function))


def _renewed(signature: str, function: F) -> F:
    """Kept anew, where that can be done."""
    try:
        dispatcher: Any = njit(cache=True, error_model="numpy")(function)
        dispatcher._cache.flush()
        return _kept(signature, function)
    except (EOFError, pickle.UnpicklingError, RuntimeError, OSError):
        return _unkept(signature, function)


def part(function: F) -> F:
    """The function as machine code within that of its callers, for whatever types they call it with."""
    return cast(F, njit(error_model="numpy")(function))
