"""The architectures: shapes, sizes, refusals, and that they run as a cohort."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from ganbench import architectures, penalties

SIDES = [8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64]
SMALL = {"dcgan": 2, "infogan": 2, "simple_cnn": 2, "sngan_resnet": 1, "r3gan": 8}
PICTURES = [
    *(("dcgan", side) for side in SIDES),
    *(("simple_cnn", side) for side in SIDES),
    *(("infogan", side) for side in range(8, 65, 4)),
    *(("sngan_resnet", side) for side in (32, 48, 64, 128)),
    *(("r3gan", side) for side in (8, 16, 32, 64, 128)),
]


def size(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "side"), PICTURES)
def test_images_of_every_supported_side_are_made_and_judged(name, side, channels):
    shape = (channels, side, side)
    plugin = architectures.create(name, width=SMALL[name])
    assert plugin.supports(shape) is None
    images = plugin.generator(shape, 5)(torch.randn(3, 5))
    assert images.shape == (3, *shape) and images.abs().max() <= 1
    assert plugin.discriminator(shape)(images).shape == (3, 1)
    assert plugin.vector_critic(shape, 7)(images).shape == (3, 7)


@pytest.mark.parametrize(("name", "side"), PICTURES)
def test_sides_between_the_supported_ones_are_refused(name, side):
    sides = [other for known, other in PICTURES if known == name]
    refused = architectures.create(name).supports((3, side + 1, side + 1))
    assert refused == f"{name} makes images of side {', '.join(map(str, sides))}, not {side + 1}; try mlp, or resize"


@pytest.mark.parametrize("shape", [(2,), (7,), (1, 8, 8), (3, 5, 9), (1, 28, 28)])
def test_mlp_makes_and_judges_points_and_images(shape):
    mlp = architectures.create("mlp", width=8)
    assert mlp.supports(shape) is None
    network = mlp.generator(shape, 5)
    samples = network(torch.randn(3, 5))
    assert samples.shape == (3, *shape)
    assert any(isinstance(m, nn.Tanh) for m in network.modules()) == (len(shape) == 3)
    assert mlp.discriminator(shape)(samples).shape == (3, 1)


@pytest.mark.parametrize(
    ("name", "shape", "part"),
    [
        ("dcgan", (2,), "try mlp"),
        ("dcgan", (1, 28, 32), "square"),
        ("dcgan", (1, 18, 18), "8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, not 18"),
        ("dcgan", (3, 4, 4), "not 4"),
        ("dcgan", (3, 128, 128), "not 128"),
        ("dcgan", (0, 8, 8), "channel"),
        *((name, (2,), f"{name} makes images") for name in SMALL),
        *((name, (3, 32, 64), f"{name} makes square images") for name in SMALL),
        *((name, (0, 32, 32), "channel") for name in SMALL),
        ("mlp", (4, 4), "points"),
        ("mlp", (0,), "points"),
    ],
)
def test_unsupported_shapes_are_refused_with_a_reason(name, shape, part):
    assert part in architectures.create(name).supports(shape)


def test_a_width_that_r3gan_cannot_divide_is_refused():
    narrow = architectures.create("r3gan", width=6)
    assert narrow.supports((3, 64, 64)) is None
    assert narrow.supports((3, 128, 128)) == "r3gan has width / 4 channels at side 128, which 6 does not give"


def test_sizes_of_mlp_counted_by_hand():
    mlp = architectures.create("mlp", width=128, depth=3)
    hidden = 2 * (128 * 128 + 128)
    assert size(mlp.generator((2,), 16)) == (16 * 128 + 128) + hidden + (128 * 2 + 2)
    assert size(mlp.discriminator((2,))) == (2 * 128 + 128) + hidden + (128 * 1 + 1)


def test_sizes_of_dcgan_counted_by_hand():
    dcgan = architectures.create("dcgan", width=32, d_norm="batch")
    # 28 -> 14 -> 7: 32 and 64 channels
    g = 10 * 64 * 7 * 7 + 2 * 64 + 64 * 32 * 16 + 2 * 32 + (32 * 1 * 16 + 1)
    d = (1 * 32 * 16 + 32) + 32 * 64 * 16 + 2 * 64 + (64 * 7 * 7 + 1)
    assert size(dcgan.generator((1, 28, 28), 10)) == g
    assert size(dcgan.discriminator((1, 28, 28))) == d


@pytest.mark.parametrize(
    ("norm", "kind"), [("batch", nn.BatchNorm2d), ("instance", nn.InstanceNorm2d), ("layer", nn.GroupNorm)]
)
def test_norms_stand_where_the_paper_has_them(norm, kind):
    dcgan = architectures.create("dcgan", width=2, g_norm=norm, d_norm=norm)
    g = [type(m) for m in dcgan.generator((1, 32, 32), 4)]
    d = [type(m) for m in dcgan.discriminator((1, 32, 32))]
    assert g.count(kind) == 3 and g[-2:] == [nn.ConvTranspose2d, nn.Tanh]
    assert d.count(kind) == 2 and d[:2] == [nn.Conv2d, nn.LeakyReLU]


def test_batch_norm_has_running_buffers():
    buffers = dict(architectures.create("dcgan").generator((1, 8, 8), 4).named_buffers())
    assert {name.rpartition(".")[2] for name in buffers} == {
        "running_mean",
        "running_var",
        "num_batches_tracked",
    }


def test_dcgan_has_no_norm_in_d_unless_asked():
    network = architectures.create("dcgan").discriminator((1, 16, 16))
    assert {type(m) for m in network} == {nn.Conv2d, nn.LeakyReLU, nn.Flatten, nn.Linear}


def test_weights_start_as_told():
    torch.manual_seed(0)
    network = architectures.create("dcgan", init_std=0.02).discriminator((3, 32, 32))
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
            assert not layer.bias.any()
    torch.manual_seed(0)
    own = architectures.create("dcgan").discriminator((3, 32, 32))
    torch.manual_seed(0)
    assert torch.equal(own[0].weight, nn.Conv2d(3, 32, 4, stride=2, padding=1).weight)


ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", ["mlp", *SMALL])
def test_every_activation_of_either_player_is_the_one_asked_for(name, activation):
    shape, kinds = (3, 32, 32), tuple(ACTIVATIONS.values())
    plugin = architectures.create(name, width=8, g_activation=activation, d_activation=activation)
    g = [type(m) for m in plugin.generator(shape, 4).modules() if isinstance(m, kinds)]
    d = [type(m) for m in plugin.discriminator(shape).modules() if isinstance(m, kinds)]
    assert g[-1] is nn.Tanh and len(g) >= 4 and set(g[:-1]) == {ACTIVATIONS[activation]}
    assert len(d) >= 3 and set(d) == {ACTIVATIONS[activation]}


def test_the_slope_of_mlp_is_that_of_both_networks():
    plugin = architectures.create("mlp", g_activation="leaky_relu", slope=0.3)
    layers = [*plugin.generator((2,), 4), *plugin.discriminator((2,))]
    assert [m.negative_slope for m in layers if isinstance(m, nn.LeakyReLU)] == [0.3] * 6


NORMED = [
    *(("mlp", norm) for norm in ("batch", "layer")),
    *((n, norm) for n in ("dcgan", "infogan", "simple_cnn", "sngan_resnet") for norm in ("batch", "instance", "layer")),
]
KINDS = {
    "batch": (nn.BatchNorm2d, nn.BatchNorm1d),
    "instance": (nn.InstanceNorm2d,),
    "layer": (nn.GroupNorm,),
}


@pytest.mark.parametrize(("name", "norm"), NORMED)
def test_each_player_has_the_norm_asked_for_and_no_other(name, norm):
    shape, kinds = (3, 32, 32), sum(KINDS.values(), ())
    for g_norm, d_norm in ((norm, "none"), ("none", norm)):
        plugin = architectures.create(name, width=8, g_norm=g_norm, d_norm=d_norm)
        networks = ((g_norm, plugin.generator(shape, 4)), (d_norm, plugin.discriminator(shape)))
        for wanted, network in networks:
            found = [m for m in network.modules() if isinstance(m, kinds)]
            assert bool(found) == (wanted != "none")
            assert all(isinstance(m, KINDS[wanted]) for m in found)
        assert plugin.restraints == ()


def test_infogan_normalises_each_number_of_its_linear_layers():
    d = architectures.create("infogan", d_norm="batch", width=4).discriminator((1, 8, 8))
    assert [type(m) for m in d] == [
        *(nn.Conv2d, nn.LeakyReLU),
        *(nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU),
        *(nn.Flatten, nn.Linear, nn.BatchNorm1d, nn.LeakyReLU),
        nn.Linear,
    ]
    assert d[6].bias is None and d[7].num_features == 64


@pytest.mark.parametrize("name", ["mlp", "dcgan", "infogan", "simple_cnn", "sngan_resnet"])
def test_spectral_norm_is_a_restraint_of_the_player_that_asks(name):
    def players(**norms):
        return sorted(restraint.on for restraint in architectures.create(name, **norms).restraints)

    assert players(g_norm="none", d_norm="spectral") == ["d"]
    assert players(g_norm="spectral", d_norm="none") == ["g"]
    assert players(g_norm="spectral", d_norm="spectral") == ["d", "g"]
    assert players() == (["d"] if name == "sngan_resnet" else [])
    plain, spectral = (architectures.create(name, width=8, d_norm=norm) for norm in ("none", "spectral"))
    # The network itself is the one without norms: what is divided are its parameters.
    one, other = (plugin.discriminator((3, 32, 32)) for plugin in (plain, spectral))
    assert [(n, p.shape) for n, p in one.named_parameters()] == [(n, p.shape) for n, p in other.named_parameters()]


EVERYWHERE = [
    *(("mlp", {"width": 8, "g_norm": n, "d_norm": n}, (2,)) for n in ("none", "batch", "layer", "spectral")),
    *(
        (name, {"width": 4, "g_norm": n, "d_norm": n}, (1, 32, 32))
        for name in ("dcgan", "infogan", "simple_cnn", "sngan_resnet")
        for n in ("none", "batch", "instance", "layer", "spectral")
    ),
    *(("sngan_resnet", {"width": 1}, (3, side, side)) for side in (48, 64)),
    *(("r3gan", {"width": 8}, (3, side, side)) for side in (8, 32)),
]


@pytest.mark.parametrize(("name", "parameters", "shape"), EVERYWHERE)
def test_every_parameter_gets_a_finite_gradient_from_the_game(name, parameters, shape):
    """After one step each, since networks that start at the identity have blocks without a gradient at first."""
    torch.manual_seed(0)
    plugin = architectures.create(name, **parameters)
    g, d, autoencoder = plugin.generator(shape, 5), plugin.discriminator(shape), plugin.autoencoder(shape, 6)
    optimiser = torch.optim.Adam([*g.parameters(), *d.parameters(), *autoencoder.parameters()], 1e-3)
    for _ in range(2):
        optimiser.zero_grad()
        fake = g(torch.randn(8, 5))
        logits = d(fake)
        assert fake.isfinite().all() and logits.isfinite().all() and fake.std() > 1e-4
        nn.functional.softplus(-logits).mean().backward()
        (autoencoder(torch.randn(8, *shape))[0] - torch.randn(8, *shape)).square().mean().backward()
        optimiser.step()
    for network in (g, d, autoencoder):
        for parameter_name, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), parameter_name
            assert parameter.grad.any(), parameter_name


COHORTS = [
    ("mlp", {"width": 8}, (2,)),
    ("mlp", {"width": 8}, (1, 8, 8)),
    *[("dcgan", {"width": 2, "g_norm": n, "d_norm": n}, (1, 8, 8)) for n in ("batch", "instance", "layer", "none")],
    ("dcgan", {"width": 2}, (3, 28, 28)),
    *[("mlp", {"width": 8, "depth": 2, "g_norm": n, "d_norm": n}, (2,)) for n in ("batch", "layer")],
    *[("infogan", {"width": 2, "g_norm": n, "d_norm": n}, (1, 8, 8)) for n in ("batch", "instance", "layer", "none")],
    ("simple_cnn", {"width": 3, "d_norm": "batch", "d_activation": "silu"}, (1, 8, 8)),
    ("sngan_resnet", {"width": 1}, (3, 32, 32)),
    ("sngan_resnet", {"width": 1, "d_norm": "layer", "d_activation": "gelu"}, (1, 32, 32)),
    ("r3gan", {"width": 8, "blocks": 1}, (3, 16, 16)),
]


@pytest.mark.parametrize(("name", "parameters", "shape"), COHORTS)
def test_three_cells_together_equal_each_alone(name, parameters, shape):
    """Forward through both networks, and R1's double backward through D."""
    torch.manual_seed(0)
    plugin = architectures.create(name, **parameters)
    generators = [plugin.generator(shape, 5).double() for _ in range(3)]
    critics = [plugin.discriminator(shape).double() for _ in range(3)]
    r1 = penalties.create("r1")
    latent, real = torch.randn(3, 4, 5).double(), torch.randn(3, 4, *shape).double()

    fake = together(generators)(latent)
    d_parameters, d_buffers = stack_module_state(critics)
    d_parameters = {name: p.detach().requires_grad_() for name, p in d_parameters.items()}
    skeleton = plugin.discriminator(shape).double()

    def critic(x):
        forward = vmap(lambda p, b, x: functional_call(skeleton, (p, b), (x,)))
        return forward(d_parameters, d_buffers, x).flatten(1)

    value = r1(critic, real, fake, None) + critic(fake).mean(-1)
    slopes = torch.autograd.grad(value.sum(), list(d_parameters.values()))

    for i in range(3):
        own_fake = generators[i](latent[i])
        torch.testing.assert_close(fake[i], own_fake, rtol=1e-10, atol=1e-12)

        def alone(x, network=critics[i]):
            return network(x[0]).flatten()[None]

        own = r1(alone, real[i : i + 1], own_fake, None) + critics[i](own_fake).mean()
        torch.testing.assert_close(value[i : i + 1], own, rtol=1e-10, atol=1e-12)
        for slope, other in zip(slopes, torch.autograd.grad(own.sum(), list(critics[i].parameters())), strict=True):
            torch.testing.assert_close(slope[i], other, rtol=1e-9, atol=1e-12)


def together(modules):
    parameters, buffers = stack_module_state(modules)
    skeleton = modules[0]
    copies = {name: buffer.clone() for name, buffer in buffers.items()}
    return lambda x: vmap(lambda p, b, x: functional_call(skeleton, (p, b), (x,)))(parameters, copies, x)


def layers_of_mlp(numbers):
    """What the discriminator of (1, 4, 4) with width 8 and depth 2 is made of, layer by layer."""
    return [
        nn.Flatten(),
        nn.Linear(16, 8),
        nn.LeakyReLU(0.2),
        nn.Linear(8, 8),
        nn.LeakyReLU(0.2),
        nn.Linear(8, numbers),
    ]


def layers_of_dcgan(numbers):
    """The same of dcgan's for (1, 8, 8) with width 4 and batch norm."""
    return [
        nn.Conv2d(1, 4, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(4, 8, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(8 * 2 * 2, numbers),
    ]


FROZEN = [
    ("mlp", {"width": 8, "depth": 2}, (1, 4, 4), layers_of_mlp),
    ("dcgan", {"width": 4, "d_norm": "batch"}, (1, 8, 8), layers_of_dcgan),
]


@pytest.mark.parametrize("numbers", [1, 6])
@pytest.mark.parametrize(("name", "parameters", "shape", "layers"), FROZEN)
def test_the_weights_of_d_are_drawn_as_ever(name, parameters, shape, layers, numbers):
    """Stored cells are found again by their key, which knows nothing of the order in which layers are made."""
    plugin = architectures.create(name, **parameters)
    torch.manual_seed(3)
    found = plugin.discriminator(shape) if numbers == 1 else plugin.vector_critic(shape, numbers)
    torch.manual_seed(3)
    expected = nn.Sequential(*layers(numbers))
    assert [type(layer) for layer in found] == [type(layer) for layer in expected]
    assert found.state_dict().keys() == expected.state_dict().keys()
    for own, other in zip(found.state_dict().values(), expected.state_dict().values(), strict=True):
        assert torch.equal(own, other)
    samples = torch.randn(5, *shape)
    assert torch.equal(found(samples), expected(samples))
    assert found(samples).shape == (5, numbers)


BACK_TO_BACK = [
    ("mlp", (2,)),
    ("mlp", (1, 4, 4)),
    ("dcgan", (3, 12, 12)),
    ("infogan", (3, 12, 12)),
    ("simple_cnn", (3, 12, 12)),
    ("sngan_resnet", (3, 32, 32)),
    ("r3gan", (3, 16, 16)),
]


@pytest.mark.parametrize(("name", "shape"), BACK_TO_BACK)
def test_an_autoencoder_is_d_and_g_back_to_back(name, shape):
    plugin = architectures.create(name, width=4)
    torch.manual_seed(0)
    network = plugin.autoencoder(shape, 6)
    torch.manual_seed(0)
    encoder = plugin.vector_critic(shape, 6)
    samples = torch.randn(5, *shape)
    reconstruction, code = network(samples)
    assert reconstruction.shape == (5, *shape) and code.shape == (5, 6)
    assert torch.equal(code, encoder(samples))
    assert torch.equal(reconstruction, network.decoder(code))
    assert any(isinstance(m, nn.Tanh) for m in network.modules()) == (len(shape) == 3)


@pytest.mark.parametrize("name", ["mlp", "dcgan", "infogan", "simple_cnn", "sngan_resnet"])
def test_the_reconstruction_of_one_sample_does_not_depend_on_the_others(name):
    torch.manual_seed(0)
    network = architectures.create(name, width=2, g_norm="batch").autoencoder((1, 32, 32), 3).double()
    samples = torch.randn(4, 1, 32, 32).double()
    torch.testing.assert_close(network(samples)[0][:1], network(samples[:1])[0], rtol=1e-10, atol=1e-12)


def test_an_autoencoder_learns_to_reconstruct():
    torch.manual_seed(0)
    network = architectures.create("mlp", width=32, depth=2).autoencoder((3,), 2)
    plane = torch.randn(128, 2) @ torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    errors = []
    for _ in range(150):
        error = (network(plane)[0] - plane).square().mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        errors.append(error.item())
    assert errors[-1] < errors[0] / 20


@pytest.mark.parametrize(("name", "parameters", "shape"), COHORTS)
def test_vector_critics_and_autoencoders_run_as_a_cohort(name, parameters, shape):
    torch.manual_seed(0)
    plugin = architectures.create(name, **parameters)
    samples = torch.randn(3, 4, *shape).double()
    critics = [plugin.vector_critic(shape, 5).double() for _ in range(3)]
    encoders = [plugin.autoencoder(shape, 5).double() for _ in range(3)]
    features = together(critics)(samples)
    reconstructions, codes = together(encoders)(samples)
    for i in range(3):
        torch.testing.assert_close(features[i], critics[i](samples[i]), rtol=1e-10, atol=1e-12)
        reconstruction, code = encoders[i](samples[i])
        torch.testing.assert_close(reconstructions[i], reconstruction, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(codes[i], code, rtol=1e-10, atol=1e-12)
