"""The same sums on every processor of a kind.

OpenBLAS, behind NumPy and SciPy, picks a kernel by the processor, and each kernel adds up in an
order of its own: MFCC of one sound differed by 2e-6 between two of them, so every hash downstream
did too. All x86-64 processors since 2013 can run one of them.
"""

import os
import platform
from pathlib import Path

KERNEL = "Haswell"


def choose_kernel(processor: Path = Path("/proc/cpuinfo")) -> None:
    """Ask for one kernel where the processor has AVX2, unless the user asked for another.

    Must come before NumPy is imported; worker processes inherit the choice. PyTorch has kernels
    of its own, which this leaves alone.
    """
    if platform.machine() in {"x86_64", "AMD64"} and processor.exists():
        flags = next((x for x in processor.read_text().splitlines() if x.startswith("flags")), "")
        if {"avx2", "fma"} <= set(flags.split()):
            os.environ.setdefault("OPENBLAS_CORETYPE", KERNEL)
