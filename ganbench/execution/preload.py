"""What the fork server imports once, so that a worker starts in milliseconds; it must not touch a device."""

import scipy.spatial  # noqa: F401
import torch_fidelity  # noqa: F401

import ganbench.evaluation.scoring
import ganbench.training.loop  # noqa: F401
