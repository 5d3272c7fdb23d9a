"""Makes the reference vectors of Inception-v3's parity test, tests/vectors/<picture>-inception.bin.

Usage: inception_vectors.py [CHECKPOINT]

torchvision's network is filled with numbers that are hashes of each tensor's name and of the place in
it, which tests/import.rs computes anew: its weights would be too large to keep. Each file holds float32
little-endian numbers: the 2048 features, then the 1000 logits, of <picture>-style.png (128 x 96, as
style_vectors.py writes it), RGB from -1 to 1. With CHECKPOINT, the network is also saved there, as
torchvision's own checkpoints are. one-tensor.pth is a file of torch.save that is no such network.
"""

import sys
import zlib
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image

OUT = Path("tests/vectors")
PICTURES = ["cat", "astronaut", "coffee"]


def hashes(name, shape):
    """Numbers from -1 to 1."""
    count = int(np.prod(shape))
    x = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(zlib.crc32(name.encode()))
    x ^= x >> 16
    x *= np.uint32(0x7FEB352D)
    x ^= x >> 15
    x *= np.uint32(0x846CA68B)
    x ^= x >> 16
    return (x >> 8).astype(np.float32).reshape(shape) / np.float32(1 << 23) - 1


def values(name, shape):
    u = hashes(name, shape)
    if name.endswith("running_var"):
        return 1 + u / 2
    if len(shape) > 1:
        # Keeps the size of numbers from layer to layer (He et al. 2015).
        return u * np.sqrt(np.float32(6 / np.prod(shape[1:])))
    if name.endswith("bn.weight"):
        return 1 + u / 4
    return u / 8


def main():
    network = torchvision.models.inception_v3(weights=None, init_weights=False).eval()
    state = network.state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point():
            tensor.copy_(torch.from_numpy(np.array(values(name, tuple(tensor.shape)), np.float32)))
    if len(sys.argv) > 1:
        torch.save(state, sys.argv[1])
    torch.save({"fc.bias": torch.arange(3.0)}, OUT / "one-tensor.pth")
    kept = []
    network.avgpool.register_forward_hook(lambda module, inputs, output: kept.append(output))
    for picture in PICTURES:
        rgb = np.asarray(Image.open(OUT / f"{picture}-style.png").convert("RGB"), np.float32)
        image = torch.from_numpy(rgb.transpose(2, 0, 1)[None] / 127.5 - 1)
        with torch.no_grad():
            logits = network(image)
        features = kept.pop().flatten()
        print(f"{picture}: features up to {features.max():.3f}, {(features == 0).sum()} zeros; logits {logits.min():.3f} to {logits.max():.3f}")
        np.concatenate([features.numpy(), logits.numpy()[0]]).astype("<f4").tofile(OUT / f"{picture}-inception.bin")


if __name__ == "__main__":
    main()
