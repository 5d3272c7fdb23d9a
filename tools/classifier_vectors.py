"""Makes the reference vectors of the classifier's parity tests, in tests/vectors/.

Usage: classifier_vectors.py efficientnet-lite0.pth

For each of six sample photographs: <name>-classes.png, the network's input as 8-bit RGB (224 x 224, resized with
Pillow's bilinear filter), and <name>-classes.bin, float32 little-endian numbers that PyTorch computes from it:

  1,000 logits
  Grad-CAM of the first class (Selvaraju et al. 2017) on the head's map, 7 x 7, and on block 11's, 14 x 14
  the gradient of that class's logit on the image, by autograd, every 97th number
  the same by guided backpropagation (Springenberg et al. 2015)

Weights are rounded to f16, which is how Kiln stores them; what that costs is printed.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from efficientnet import Network, image
from PIL import Image

PHOTOGRAPHS = ["cat", "astronaut", "coffee", "photographer", "temple", "rocket"]
OUT = Path("tests/vectors")
EVERY = 97


class Guided(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        y = x.clamp(0, 6)
        context.save_for_backward(y)
        return y

    @staticmethod
    def backward(context, gradient):
        (y,) = context.saved_tensors
        return gradient * ((y > 0) & (y < 6) & (gradient > 0))


def on_image(network, x, chosen):
    x = x.clone().requires_grad_()
    *_, head = network.maps(x)
    network.logits(head)[0, chosen].backward()
    return x.grad[0]


def grad_cam(network, x, chosen, layer):
    maps = list(network.maps(x.clone().requires_grad_()))
    (gradient,) = torch.autograd.grad(network.logits(maps[-1])[0, chosen], maps[layer])
    return (maps[layer] * gradient.mean(dim=(2, 3), keepdim=True)).sum(dim=1)[0].relu().detach()


def main():
    source = sys.argv[1]
    network, exact = Network(source, np.float16), Network(source, np.float32)
    for name in PHOTOGRAPHS:
        path = OUT / f"{name}-classes.png"
        Image.open(f"public/samples/{name}.jpg").convert("RGB").resize((224, 224), Image.Resampling.BILINEAR).save(path, optimize=True)
        x = image(Image.open(path))
        with torch.no_grad():
            *_, head = network.maps(x)
            logits = network.logits(head)[0]
            *_, head = exact.maps(x)
            exact_logits = exact.logits(head)[0]
        chosen = int(logits.argmax())
        saliency = on_image(network, x, chosen)
        rectify, network.rectify = network.rectify, Guided.apply
        guided = on_image(network, x, chosen)
        network.rectify = rectify
        parts = [logits, grad_cam(network, x, chosen, -1), grad_cam(network, x, chosen, 11)]
        parts += [saliency.reshape(-1)[::EVERY], guided.reshape(-1)[::EVERY]]
        np.concatenate([part.detach().numpy().reshape(-1) for part in parts]).astype("<f4").tofile(OUT / f"{name}-classes.bin")
        top = logits.softmax(0).topk(5)
        print(f"{name}: {[(int(i), round(float(p), 3)) for p, i in zip(*top)]}; f16 moves a logit by up to {float((logits - exact_logits).abs().max()):.4f}")


if __name__ == "__main__":
    main()
