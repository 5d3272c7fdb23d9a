"""Writes what the native program finds by each family of detectors, for the browser to find the same.

Usage: family_vectors.py KILN
"""

import json
import subprocess
import sys

# Names, and the scores from which on boxes are listed.
FAMILIES = {"overfeat": "0.3", "r-cnn": "0.6", "sppnet": "0.5", "fast-rcnn": "0.3", "faster-rcnn": "0.3", "ssd-voc": "0.3", "yolo-v1": "0.3", "anchor-free": "0.3", "anchor-free-imagenet": "0.3"}
PICTURE = "tests/vectors/cat-ssd.png"
TARGET = "tests/vectors/families.json"


def main(kiln):
    found = {}
    for family, score in FAMILIES.items():
        command = [kiln, "detect", PICTURE, "--model", family, "--score", score, "--json"]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        found[family] = answer[0]["detections"]
    with open(TARGET, "w") as file:
        json.dump(found, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
