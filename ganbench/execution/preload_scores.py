"""What the fork server imports in addition where cells are to be scored: torch-fidelity brings torchvision along."""

import gc

gc.disable()  # as in `preload`

import scipy.spatial  # noqa: E402, F401
import torch_fidelity  # noqa: E402, F401

import ganbench.evaluation.scoring  # noqa: E402, F401

gc.freeze()
gc.enable()
