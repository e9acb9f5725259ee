"""What the fork server imports once, so that a worker starts in milliseconds; it must not touch a device.

Nothing here may compute: an operation would start threads, and what is forked from a process with threads hangs.
"""

import gc
import signal

from ganbench.execution.glibc_malloc import keep_freed_memory

# Imports leave no garbage, and searching what they make for it takes a tenth of their time.
gc.disable()
# Ctrl-C is the parent's to hear, which then stops this process; the fork server itself ignores it only once it serves.
signal.signal(signal.SIGINT, signal.SIG_IGN)
# So are those that a service manager or a closed terminal sends to all processes of a run.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
keep_freed_memory()

import numpy.random  # noqa: E402, F401
import safetensors.torch  # noqa: E402, F401

import ganbench.evaluation.sampling  # noqa: E402
import ganbench.execution.local  # noqa: E402
import ganbench.execution.provenance  # noqa: E402
import ganbench.execution.tasks  # noqa: E402
import ganbench.training.loop  # noqa: E402, F401

# Workers need not search what they share with each other for garbage, and thereby copy it.
gc.freeze()
gc.enable()
