"""Two networks as one autoencoder, for critics that judge samples by how well they reconstruct them."""

from __future__ import annotations

from torch import Tensor, nn


class Autoencoder(nn.Module):
    """Samples to `(reconstruction, code)`."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        """Take a network from samples to codes and one back."""
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Encode and decode samples `(batch, *shape)`."""
        code = self.encoder(samples)
        return self.decoder(code), code
