"""Networks from papers: sizes counted by hand from their tables, how they start, and what they compute."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ganbench import architectures
from ganbench.architectures.residual import Residual


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def conv(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2 + outputs


def linear(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def doubling(inputs: int, outputs: int) -> int:
    """SNGAN's generator block: two norms, two convolutions, a learned shortcut."""
    return 2 * inputs + conv(inputs, outputs, 3) + 2 * outputs + conv(outputs, outputs, 3) + conv(inputs, outputs, 1)


def first(outputs: int) -> int:
    return conv(3, outputs, 3) + conv(outputs, outputs, 3) + conv(3, outputs, 1)


def judging(inputs: int, outputs: int, shortcut: bool = True) -> int:
    return conv(inputs, inputs, 3) + conv(inputs, outputs, 3) + shortcut * conv(inputs, outputs, 1)


# Tables 3 to 5 of arXiv:1802.05957, and for side 64 the authors' snresnet_64.
SNGAN = {
    32: (
        linear(128, 16 * 256) + 3 * doubling(256, 256) + 2 * 256 + conv(256, 3, 3),
        first(128) + judging(128, 128) + 2 * judging(128, 128, shortcut=False) + linear(128, 1),
    ),
    48: (
        linear(128, 36 * 512) + doubling(512, 256) + doubling(256, 128) + doubling(128, 64) + 2 * 64 + conv(64, 3, 3),
        first(64) + sum(judging(c, 2 * c) for c in (64, 128, 256, 512)) + linear(1024, 1),
    ),
    64: (
        linear(128, 16 * 1024) + sum(doubling(2 * c, c) for c in (512, 256, 128, 64)) + 2 * 64 + conv(64, 3, 3),
        first(64) + sum(judging(c, 2 * c) for c in (64, 128, 256, 512)) + linear(1024, 1),
    ),
    128: (
        linear(128, 16 * 1024)
        + doubling(1024, 1024)
        + sum(doubling(2 * c, c) for c in (512, 256, 128, 64))
        + 2 * 64
        + conv(64, 3, 3),
        first(64)
        + sum(judging(c, 2 * c) for c in (64, 128, 256, 512))
        + judging(1024, 1024, shortcut=False)
        + linear(1024, 1),
    ),
}


@pytest.mark.parametrize("side", SNGAN)
def test_sizes_of_sngan_resnet_are_those_of_the_papers_tables(side: int) -> None:
    plugin = architectures.create("sngan_resnet")
    with torch.device("meta"):
        found = size(plugin.generator((3, side, side), 128)), size(plugin.discriminator((3, side, side)))
    assert found == SNGAN[side]
    if side == 32:
        assert found[0] == 4_276_739  # as published with torch-mimicry


def test_size_of_r3gan_is_the_published_one() -> None:
    """20.73 and 20.68 million on CIFAR-10: eight blocks of 768 channels, expanded to 1536 in 96 groups of 16."""
    block = 768 * 1536 + 1536 + 1536 * 16 * 9 + 1536 + 1536 * 768
    plugin = architectures.create("r3gan")
    with torch.device("meta"):
        g, d = plugin.generator((3, 32, 32), 64), plugin.discriminator((3, 32, 32))
    assert size(g) == 64 * 768 + 768 * 16 + 8 * block + 768 * 3 == 20_732_160
    assert size(d) == 3 * 768 + 8 * block + 768 * 16 + 768 == 20_683_776
    wide = [m for m in g.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    assert {(m.groups, m.in_channels // m.groups) for m in wide} == {(96, 16)}


def test_widths_of_r3gan_fall_beyond_side_32() -> None:
    """As in FFHQ-256: 768 channels up to side 32, then 384 and 192."""
    with torch.device("meta"):
        g = architectures.create("r3gan").generator((3, 128, 128), 64)
    channels = [m.main[0].in_channels for m in g if isinstance(m, Residual)]
    assert channels == [*(768,) * 8, 384, 384, 192, 192]


def test_size_of_infogan_is_that_of_the_papers_table() -> None:
    """FC 1024, FC 128 x 7 x 7, transposed 4 x 4 convolutions to 64 and 1; batch norms in place of biases."""
    plugin = architectures.create("infogan", d_norm="batch")
    g = 74 * 1024 + 2 * 1024 + 1024 * 6272 + 2 * 6272 + 128 * 64 * 16 + 2 * 64 + conv(64, 1, 4)
    d = conv(1, 64, 4) + 64 * 128 * 16 + 2 * 128 + 6272 * 1024 + 2 * 1024 + linear(1024, 1)
    assert size(plugin.generator((1, 28, 28), 74)) == g
    assert size(plugin.discriminator((1, 28, 28))) == d


def written_out(network: nn.Module, x: Tensor) -> Tensor:
    """Compute sngan_resnet's D for side 32 by the equations, in the order of the authors' code."""
    p = dict(network.named_parameters())

    def convolved(h: Tensor, name: str, padding: int = 1) -> Tensor:
        return functional.conv2d(h, p[f"{name}.weight"], p[f"{name}.bias"], padding=padding)

    h = convolved(functional.relu(convolved(x, "0.main.0")), "0.main.2")
    h = functional.avg_pool2d(h, 2) + convolved(functional.avg_pool2d(x, 2), "0.skip.1", 0)
    for block in (1, 2, 3):
        main = convolved(functional.relu(h), f"{block}.main.1")
        main = convolved(functional.relu(main), f"{block}.main.3")
        if block == 1:
            h = functional.avg_pool2d(main, 2) + functional.avg_pool2d(convolved(h, "1.skip.1", 0), 2)
        else:
            h = h + main
    return functional.linear(functional.relu(h).sum((2, 3)), p["7.weight"], p["7.bias"])


def test_d_of_sngan_resnet_computes_the_papers_blocks_and_sums_over_all_pixels() -> None:
    torch.manual_seed(0)
    network = architectures.create("sngan_resnet", width=2).discriminator((3, 32, 32)).double()
    x = torch.randn(4, 3, 32, 32).double()
    torch.testing.assert_close(network(x), written_out(network, x), rtol=1e-10, atol=1e-12)


def test_a_block_of_g_of_sngan_resnet_doubles_before_it_convolves() -> None:
    torch.manual_seed(0)
    block = architectures.create("sngan_resnet", width=1).generator((3, 48, 48), 4).double()[2]
    x = torch.randn(3, 8, 6, 6).double()
    p = dict(block.named_parameters())

    def normal(h: Tensor) -> Tensor:
        centred = h - h.mean((0, 2, 3), keepdim=True)
        return functional.relu(centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt())

    twice = functional.interpolate(normal(x), scale_factor=2)
    main = functional.conv2d(twice, p["main.3.weight"], padding=1)
    main = functional.conv2d(normal(main), p["main.6.weight"], padding=1)
    skip = functional.conv2d(functional.interpolate(x, scale_factor=2), p["skip.0.weight"])
    torch.testing.assert_close(block(x), main + skip, rtol=1e-9, atol=1e-10)


def test_weights_of_sngan_resnet_start_as_in_the_authors_code() -> None:
    torch.manual_seed(0)
    network = architectures.create("sngan_resnet", width=32).discriminator((3, 32, 32))
    block = network[1]
    for layer, gain in ((block.main[1], math.sqrt(2)), (block.main[3], math.sqrt(2)), (block.skip[1], 1.0)):
        fans = (layer.in_channels + layer.out_channels) * layer.kernel_size[0] ** 2
        bound = gain * math.sqrt(6 / fans)
        assert layer.weight.abs().max().item() == pytest.approx(bound, rel=0.02)
        assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert not any(p.any() for name, p in network.named_parameters() if name.endswith("bias"))


def test_weights_of_r3gan_start_as_fix_up_asks() -> None:
    """Std gain / sqrt(fan in) with gain sqrt(2 / 1.04) L^(-1/4) inside of L = 8 blocks; the last layer is zero."""
    torch.manual_seed(0)
    network = architectures.create("r3gan", width=64).generator((3, 32, 32), 16)
    blocks = [m for m in network if isinstance(m, Residual)]
    assert len(blocks) == 8
    gain = math.sqrt(2 / 1.04) * 8**-0.25
    for block in blocks:
        expand, mix, shrink = block.main[0], block.main[2], block.main[4]
        assert expand.weight.std().item() == pytest.approx(gain / math.sqrt(64), rel=0.05)
        assert mix.weight.std().item() == pytest.approx(gain / math.sqrt(16 * 9), rel=0.05)
        assert not shrink.weight.any() and shrink.bias is None
        assert not expand.bias.any() and not mix.bias.any()
    assert network[2].weight.std().item() == pytest.approx(1.0, rel=0.1)


def test_both_networks_of_r3gan_start_as_their_identity_paths() -> None:
    torch.manual_seed(0)
    plugin = architectures.create("r3gan", width=16)
    g, d = plugin.generator((3, 16, 16), 5), plugin.discriminator((3, 16, 16))
    z, x = torch.randn(4, 5), torch.randn(4, 3, 16, 16)
    for network, inputs in ((g, z), (d, x)):
        path = nn.Sequential(*(m for m in network if not isinstance(m, Residual)))
        assert len(path) < len(network)
        torch.testing.assert_close(network(inputs), path(inputs), rtol=0, atol=0)
    # G before any block: each number of the linear layer times a 4 x 4 map of its own.
    expected = g[0](z)[:, :, None, None] * g[2].weight[:, 0]
    torch.testing.assert_close(g[2](g[1](g[0](z))), expected)


def test_an_average_is_torchs_bilinear_halving() -> None:
    x = torch.randn(2, 3, 8, 8)
    halved = functional.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)
    torch.testing.assert_close(nn.AvgPool2d(2)(x), halved)


def test_a_residual_adds_its_branches() -> None:
    main, skip, x = nn.Linear(3, 2), nn.Linear(3, 2), torch.randn(4, 3)
    torch.testing.assert_close(Residual(main, skip)(x), main(x) + skip(x))
    same = nn.Linear(3, 3)
    torch.testing.assert_close(Residual(same)(x), x + same(x))
