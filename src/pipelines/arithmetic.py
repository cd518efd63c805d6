"""The same sums on every processor of a kind.

OpenBLAS, behind NumPy and SciPy, picks a kernel by the processor and threads by the number of
cores, and each choice adds up in an order of its own: MFCC of one sound differed by 2e-6 between
two kernels, so every hash downstream did too. Most x86-64 processors since 2013 can run the same
kernel. One thread is enough: clips are spread over processes, and PyTorch has threads of its own.
"""

import os
import platform
from pathlib import Path

KERNEL = "Haswell"


def choose_kernel(processor: Path = Path("/proc/cpuinfo")) -> None:
    """Ask for one thread, and for the kernel where the processor can run it; users may say else.

    Must come before NumPy is imported; worker processes inherit the choice. PyTorch has kernels
    of its own, which this leaves alone.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if platform.machine() in {"x86_64", "AMD64"} and processor.exists():
        flags = next((x for x in processor.read_text().splitlines() if x.startswith("flags")), "")
        if {"avx2", "fma"} <= set(flags.split()):
            os.environ.setdefault("OPENBLAS_CORETYPE", KERNEL)
