"""Networks run on the reference kernels: bound, initialised, executed, checked."""
