"""Keep freed memory in the process: glibc gives big blocks back to the kernel at each step, and faults them in again.

A step of a cohort allocates and frees the same temporaries of some megabytes over and over. By default glibc maps
each of them anew, and every page of it is cleared and faulted in at its first use.
"""

from __future__ import annotations

import ctypes
import platform
import sys

# <malloc.h>
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
LARGEST_FROM_HEAP, TOP_PAD, NEVER = 1 << 30, 64 << 20, 2**31 - 1


def keep_freed_memory() -> bool:
    """Have this process, and those forked from it, reuse freed blocks of up to 1 GiB; return whether glibc does.

    To be called before anything large is allocated. Elsewhere than on Linux with glibc nothing happens.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    wanted = ((M_MMAP_THRESHOLD, LARGEST_FROM_HEAP), (M_TRIM_THRESHOLD, NEVER), (M_TOP_PAD, TOP_PAD))
    done = [bool(mallopt(option, value)) for option, value in wanted]
    return all(done)
