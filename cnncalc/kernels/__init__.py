"""The reference kernels: forward beside backward, a module to a family of operations.

``binding.kernel(family, device, tier)`` finds a module; ``cpu/plain`` is written as the
formulas are, ``cpu/fast`` as the machine likes it. Kernels take arrays that
`arguments` has checked, and extents as given.
"""
