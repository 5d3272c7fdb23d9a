"""Linear support vector machines by scikit-learn, and spatial pyramid pooling by PyTorch, on numbers of a fixed seed.

svm_vectors.py FILE writes what src/methods (linear_svm, spatial_pyramid) have to give for the same features and maps. Nothing
here is taken from the Rust code.
"""

import json
import math
import sys

import numpy as np
import torch
from sklearn.svm import LinearSVC
from torch.nn import functional as F

numbers = np.random.default_rng(20)


def machine():
    """Two clouds that overlap; an error of the few costs more."""
    labels = np.arange(120) % 4 == 0
    features = numbers.normal(size=(120, 12)) + np.where(labels, 0.7, 0.0)[:, None]
    features = features.astype(np.float32)
    costs = [0.5, 2.0]
    svm = LinearSVC(C=1.0, class_weight={False: costs[0], True: costs[1]}, loss="squared_hinge", dual=True, tol=1e-9, max_iter=200_000, random_state=0)
    svm.fit(features.astype(np.float64), labels)
    return {
        "features": features.reshape(-1).tolist(),
        "dims": features.shape[1],
        "labels": labels.tolist(),
        "costs": costs,
        "margins": svm.decision_function(features.astype(np.float64)).tolist(),
    }


def pyramid():
    """Regions in cells; each touches whole cells, at least one."""
    channels, side = 5, 11
    map_ = torch.from_numpy(numbers.normal(size=(channels, side, side)).astype(np.float32))
    regions = [[0, 0, 11, 11], [1.2, 3.7, 4.4, 9.9], [5.5, 5.5, 5.6, 5.7], [2, 0.5, 9.01, 1.5]]
    grids = [1, 2, 4]
    pooled = []
    for x0, y0, x1, y1 in regions:
        cells = map_[:, math.floor(y0) : max(math.ceil(y1), math.floor(y0) + 1), math.floor(x0) : max(math.ceil(x1), math.floor(x0) + 1)]
        for bins in grids:
            of_grid = F.adaptive_max_pool2d(cells[None], bins)[0]
            pooled.append(of_grid.permute(1, 2, 0).reshape(-1))
    return {
        "map": map_.permute(1, 2, 0).reshape(-1).tolist(),
        "side": side,
        "channels": channels,
        "regions": regions,
        "grids": grids,
        "pooled": torch.cat(pooled).tolist(),
    }


with open(sys.argv[1], "w") as file:
    json.dump({"machine": machine(), "pyramid": pyramid()}, file, separators=(",", ":"))
    file.write("\n")
