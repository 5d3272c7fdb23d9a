"""The two terms of the evidence lower bound of a small variational autoencoder, in plain NumPy.

elbo_vectors.py FILE writes what src/models/generate and src/methods/elbo.rs have to give for the same
weights, pictures and noise, which are sines of their index. Nothing here is taken from the Rust code
but the plan of the network.
"""

import json
import sys

import numpy as np


def wave(shape, salt, scale=0.4):
    count = int(np.prod(shape))
    return (scale * np.sin(0.37 * np.arange(count) + salt)).reshape(shape)


def convolve(maps, weight, bias, stride):
    """maps [batch, rows, columns, in]; weight [9, in, out]; the nearest edge is repeated."""
    batch, rows, columns, _ = maps.shape
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    out = np.zeros((batch, -(-rows // stride), -(-columns // stride), weight.shape[2]))
    for row in range(out.shape[1]):
        for column in range(out.shape[2]):
            for tap in range(9):
                pixel = padded[:, row * stride + tap // 3, column * stride + tap % 3]
                out[:, row, column] += pixel @ weight[tap]
    return out + bias


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def normalise(x):
    """Batch normalisation that has learned nothing yet: mean 0, variance 1."""
    return np.maximum(x / np.sqrt(1 + 1e-5), 0)


pictures = 0.5 + wave((2, 8, 8, 1), 9.0, 0.5)
noise = wave((2, 2), 5.0, 1.0)

# Two by two pixels become channels: first the row inside the block, then the column.
folded = (2 * pictures - 1).reshape(2, 4, 2, 4, 2, 1).transpose(0, 1, 3, 2, 4, 5).reshape(2, 4, 4, 4)
x = leaky(convolve(folded, wave((9, 4, 3), 1.0), wave(3, 1.5), 1))
x = leaky(convolve(x, wave((9, 3, 4), 2.0), wave(4, 2.5), 2))
numbers = x.reshape(2, -1) @ wave((16, 4), 3.0) + wave(4, 3.5)
mean, log_variance = numbers[:, :2], numbers[:, 2:]
codes = mean + np.exp(log_variance / 2) * noise

x = normalise((codes @ wave((2, 80), 4.0) + wave(80, 4.5)).reshape(2, 4, 4, 5))
x = x.repeat(2, axis=1).repeat(2, axis=2)
x = normalise(convolve(x, wave((9, 5, 3), 6.0), wave(3, 6.5), 1))
logits = convolve(x, wave((9, 3, 1), 7.0), wave(1, 7.5), 1)

likelihood = pictures * np.log(1 / (1 + np.exp(-logits))) + (1 - pictures) * np.log(1 / (1 + np.exp(logits)))
divergence = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)
with open(sys.argv[1], "w") as file:
    json.dump(
        {
            "reconstruction": -likelihood.sum() / 2,
            "divergence": divergence.sum() / 2,
            "mean": mean.ravel().tolist(),
            "log_variance": log_variance.ravel().tolist(),
            "logits": logits.ravel().tolist(),
        },
        file,
    )
    file.write("\n")
