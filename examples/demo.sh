#!/usr/bin/env bash
# The main job from end to end on a scene made for the purpose: results in the folder given.
set -euo pipefail
out=${1:-demo}

cloudfree simulate "$out" --dates 3 --overwrite
cloudfree mask "$out/s2_cloudy.tif" -o "$out/mask.tif" --overwrite
cloudfree coregister --s1 "$out/s1.tif" --s2 "$out/s2_cloudy.tif" -o "$out/s1_coregistered.tif" --overwrite
cloudfree remove --s1 "$out/s1.tif" --s2 "$out/s2_cloudy.tif" --mask "$out/mask.tif" --adapt \
    -o "$out/s2_cloudfree.tif" --overwrite
cloudfree remove --s1 "$out/s1.tif" --s2 "$out/s2_cloudy.tif" --reference "$out/earlier" \
    --reference-s1 "$out/earlier" -o "$out/s2_from_dates.tif" --overwrite
cloudfree report "$out/s2_cloudfree.tif" "$out/s2_from_dates.tif" --truth "$out/s2_clear.tif" \
    -o "$out/report.html" --quicklooks "$out" --overwrite

echo "The page to open: $out/report.html"
