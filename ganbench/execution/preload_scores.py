"""What the fork server imports in addition where cells are to be scored: torch-fidelity brings torchvision along."""

import gc

import scipy.spatial  # noqa: F401
import torch_fidelity  # noqa: F401

import ganbench.evaluation.scoring  # noqa: F401

gc.freeze()
