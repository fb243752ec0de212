#!/usr/bin/env bash
# Every scene of a folder: FOLDER/NAME/s1.tif and FOLDER/NAME/s2.tif -> FOLDER/NAME/s2_cloudfree.tif.
# A scene that has its result is skipped and one that fails does not stop the others, so the script
# can be run again at any time; it exits with 3 if a scene failed.
set -uo pipefail
folder=${1:?"usage: $0 FOLDER"}
case $folder in -*) folder=./$folder ;; esac # else it is taken for an option
failed=0

for s2 in "$folder"/*/s2.tif; do
    scene=$(dirname "$s2")
    [ -e "$scene/s2_cloudfree.tif" ] && continue
    cloudfree remove --s1 "$scene/s1.tif" --s2 "$s2" --quiet || { echo "failed: $scene" >&2; failed=3; }
done
exit "$failed"
