#!/bin/sh
# Train the default model: sh train.sh DATA SIM RUN [options of cloudfree train]
#
# DATA holds the folders triplets, pairs, timeseries and scenes of real imagery, SIM the simulated
# scenes, for SEED from 101 to 388 and COVER 0.25, 0.4, 0.55 or 0.7 for a remainder of SEED / 4 of
# 0, 1, 2 or 3:
#
#     cloudfree simulate SIM/SEED --size 512 --seed SEED --cloud-cover COVER --misregistration 0 0
#
# The shipped weights come from four runs, one after the other: two of together 10800 steps, then
#     sh train.sh DATA SIM RUNS/third --init-from RUNS/second --steps 6500
#     sh train.sh DATA SIM RUNS/fourth --init-from RUNS/third
# each with two processes: PYTHON="torchrun --nproc-per-node 2" sh train.sh ...
# A place that is held out is never seen: neither its targets nor its radar nor its clouds.
set -eu
data=$1 sim=$2 run=$3
shift 3
links=$run-scenes
mkdir -p "$links"
ln -sf "$(realpath "$data/scenes/spain_s2_l1c_512.tif")" "$links/spain_s2_clear.tif"
ln -sf "$(realpath "$data/scenes/spain_s1_512.tif")" "$links/spain_s1.tif"

held_out=""
for place in 4065 4287 4294 4433 4438 5254 5278 5349 6553 6780 0316 0581 0746 2266 2729 \
    ROIs1970_fall_136; do
    held_out="$held_out --hold-out $place"
done
# shellcheck disable=SC2086  # words
OMP_NUM_THREADS=1 ${PYTHON:-python} -m cloudfree train cloudfree_s --preset default \
    --data "$data/triplets" --data "$data/pairs" --data "$data/timeseries" --data "$sim" \
    --data "$links" --s2-offset 0 $held_out -o "$run" "$@"
