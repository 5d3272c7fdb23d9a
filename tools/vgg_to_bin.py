"""Writes VGG-16's convolutions up to conv5_1 as float32 for the peer page: vgg_to_bin.py SOURCE.h5 TARGET.bin

Each layer's kernel [rows, columns, in, out], then its bias."""

import sys

import numpy as np
from package_weights import vgg16_kernels

LAYERS = 11

with open(sys.argv[2], "wb") as file:
    for _, parts in zip(range(LAYERS), vgg16_kernels(sys.argv[1])):
        for part in parts:
            file.write(np.ascontiguousarray(part, "<f4").tobytes())
