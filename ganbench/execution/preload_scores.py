"""What the fork server imports in addition where cells are to be scored: torch-fidelity brings torchvision along."""

import gc

import torch_fidelity  # noqa: F401

gc.freeze()
