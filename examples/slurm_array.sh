#!/usr/bin/env bash
#SBATCH --job-name=cloudfree
#SBATCH --array=1-8
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=08:00:00
# Every scene of a folder or a list, an eighth of them in each task of an array job of Slurm:
#   sbatch slurm_array.sh FOLDER OUT
# What has its result is left alone, so the same line goes on after a time limit. For a GPU to each
# task add --gres=gpu:1.
set -euo pipefail
scenes=${1:?"usage: sbatch $0 FOLDER OUT"}
out=${2:?"usage: sbatch $0 FOLDER OUT"}

cloudfree batch --output "$out" --shard slurm --retries 2 --skip-existing -- "$scenes"
