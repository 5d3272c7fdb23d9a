"""The two terms of the evidence lower bound of a small variational autoencoder, by PyTorch.

elbo_vectors.py FILE writes what src/models/generate and src/methods/elbo.rs have to give for the same
weights, pictures and noise, which are sines of their index: all numbers on the way, and the gradient of
the bound through the reparameterised codes. Nothing here is taken from the Rust code but the plan of
the network.
"""

import json
import sys

import numpy as np
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F


def wave(shape, salt, scale=0.4):
    count = int(np.prod(shape))
    return torch.from_numpy((scale * np.sin(0.37 * np.arange(count) + salt)).reshape(shape))


def convolve(maps, inputs, outputs, salt, stride=1):
    """The nearest edge is repeated. Weights are stored as [taps, in, out]."""
    weight = wave((9, inputs, outputs), salt).permute(2, 1, 0).reshape(outputs, inputs, 3, 3)
    return F.conv2d(F.pad(maps, (1, 1, 1, 1), mode="replicate"), weight, wave(outputs, salt + 0.5), stride=stride)


def normalise(maps, training):
    """Batch normalisation that has learned nothing yet, or in training with the batch's own numbers."""
    channels = maps.shape[1]
    known = torch.zeros(channels).double(), torch.ones(channels).double()
    return F.relu(F.batch_norm(maps, *known, training=training))


def decode(codes, training):
    x = codes @ wave((2, 80), 4.0) + wave(80, 4.5)
    x = normalise(x.reshape(2, 4, 4, 5).permute(0, 3, 1, 2), training)
    x = normalise(convolve(F.interpolate(x, scale_factor=2, mode="nearest"), 5, 3, 6.0), training)
    return convolve(x, 3, 1, 7.0)


def rows(maps):
    """[batch, channels, rows, columns] as [batch, pixels, channels]."""
    return maps.permute(0, 2, 3, 1).reshape(maps.shape[0], -1)


# Kept as [batch, rows, columns, channel].
pictures = (0.5 + wave((2, 8, 8, 1), 9.0, 0.5)).permute(0, 3, 1, 2)
noise = wave((2, 2), 5.0, 1.0)

# Two by two pixels become channels: first the row inside the block, then the column.
x = F.pixel_unshuffle(2 * pictures - 1, 2)
x = F.leaky_relu(convolve(x, 4, 3, 1.0), 0.2)
x = F.leaky_relu(convolve(x, 3, 4, 2.0, stride=2), 0.2)
weight = wave((16, 4), 3.0).requires_grad_()
bias = wave(4, 3.5).requires_grad_()
mean, log_variance = (rows(x) @ weight + bias).chunk(2, dim=1)
posterior = Normal(mean, torch.exp(log_variance / 2))
codes = posterior.mean + posterior.stddev * noise

def reconstruction_of(logits):
    return F.binary_cross_entropy_with_logits(logits, pictures, reduction="sum") / 2


logits = decode(codes, training=False)
reconstruction = reconstruction_of(logits)
in_training = reconstruction_of(decode(codes, training=True))
divergence = kl_divergence(posterior, Normal(0.0, 1.0)).sum() / 2
(in_training + divergence).backward()
numbers = {
    "reconstruction": reconstruction.item(),
    "reconstruction_in_training": in_training.item(),
    "divergence": divergence.item(),
    "mean": mean.flatten().tolist(),
    "log_variance": log_variance.flatten().tolist(),
    "logits": rows(logits).flatten().tolist(),
    "gradient_of_weight": weight.grad.flatten().tolist(),
    "gradient_of_bias": bias.grad.tolist(),
}
with open(sys.argv[1], "w") as file:
    json.dump(numbers, file)
    file.write("\n")
