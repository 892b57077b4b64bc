"""The kernels on NVIDIA GPUs, through numba-cuda (the extras ``cuda12`` and ``cuda13``).

`arrays` holds what lies in a device's memory, `launching` compiles kernels and starts them;
``plain`` has one thread to an output, and ``fast``, looked up before it, what is done better.
"""
