#!/usr/bin/env bash
# Makes the default cloud detector anew from DATA; an hour and a half on one processor core.
set -euo pipefail
DATA=${1:?folder of the scenes}
python -m tests.bench.mask_regions --data "$DATA" --regions runs/regions
python -m cloudfree.training.detector --regions runs/regions --run runs/cloudmask-s
cp runs/cloudmask-s/detector.onnx models/cloudmask-s/detector.onnx
