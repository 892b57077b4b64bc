"""Named for the device: a package `cuda` here would hide NVIDIA's from numba-cuda."""
