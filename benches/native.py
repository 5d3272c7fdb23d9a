"""The networks natively beside onnxruntime from PyPI, on two threads each; medians of alternating runs.

Usage: native.py KILN FOLDER

KILN is the command line, FOLDER holds ssd.onnx, selfie.onnx, efficientnet.onnx and style.onnx. Prints one JSON object.
"""

import json
import os
import statistics
import subprocess
import sys
import time

# Kiln takes as many threads as it finds processors; this is what both are given.
THREADS = 2
ROUNDS = 5
RUNS = 15
# Name, what Kiln calls it, and the shapes of the peer's inputs. The style network at 512 x 342, as `kiln bench` has it.
NETWORKS = [
    ("ssd", "ssd", [(1, 3, 300, 300)]),
    ("selfie", "selfie", [(1, 3, 256, 256)]),
    ("efficientnet", "efficientnet-lite0", [(1, 3, 224, 336)]),
    ("style", "multistyle26", [(1, 3, 344, 512), (26,)]),
]


def main():
    kiln, folder = sys.argv[1:]
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    # What this program may run on, Kiln may, too.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    figures = {}
    for name, part, shapes in NETWORKS:
        session = onnxruntime.InferenceSession(f"{folder}/{name}.onnx", options, providers=["CPUExecutionProvider"])
        numbers = np.random.default_rng(1)
        feeds = {
            given.name: numbers.random(shape, dtype=np.float32)
            if len(shape) > 1
            else np.full(shape, 1 / shape[0], np.float32)
            for given, shape in zip(session.get_inputs(), shapes)
        }
        ours, theirs = [], []
        for _ in range(ROUNDS):
            said = subprocess.run(
                [kiln, "bench", part, "--backend", "cpu", "--runs", str(RUNS)],
                check=True,
                capture_output=True,
            ).stdout
            ours.append(json.loads(said)["networks"][part]["median_ms"])
            for run in range(RUNS + 2):
                since = time.perf_counter()
                session.run(None, feeds)
                if run > 1:
                    theirs.append((time.perf_counter() - since) * 1000)
        ours, theirs = statistics.median(ours), statistics.median(theirs)
        figures[name] = {"ms": round(ours, 1), "peer_ms": round(theirs, 1), "to_peer": round(ours / theirs, 2)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
