#!/usr/bin/env bash
# Makes or brings up to date the virtual environment: scripts/venv.sh FOLDER
#
# Versions are those of constraints.txt.  The build runs in the environment itself, with the
# setuptools pinned there: a build in isolation would fetch another, which no constraint reaches.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${1:?usage: scripts/venv.sh FOLDER}
python=$(scripts/python.sh)

same_python() { # the environment runs, in the same version, from the place where it was made
    local probe='import sys; print(sys.version_info[:3], sys.prefix)'
    local wanted="import sys; print(sys.version_info[:3], '$PWD/$folder')"
    [[ "$("$folder/bin/python" -c "$probe" 2>/dev/null)" == "$("$python" -c "$wanted")" ]] &&
        [[ "$(head -n 1 "$folder/bin/pip" 2>/dev/null)" == "#!$PWD/$folder/"* ]]
}

if ! same_python; then
    echo "making $folder with $python" >&2
    "$python" -m venv --clear "$folder"
fi
pip=("$folder/bin/python" -m pip --quiet --disable-pip-version-check --no-input install --constraint constraints.txt)
echo "installing the Python packages of constraints.txt" >&2
"${pip[@]}" setuptools
"${pip[@]}" --no-build-isolation --editable '.[dev,notebook,pdf]'
"$folder/bin/python" -c '
import bench.native, sys
if bench.native.IMPLEMENTATION != "c":
    sys.stderr.write("note: the C extension was not built; its Python twin is used in its place\n")'
