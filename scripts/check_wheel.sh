#!/usr/bin/env bash
# Builds the wheel, installs it in an environment of its own, and runs it from an empty folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${PYTHON:-python3}" -m venv "$work/venv"
pip="$work/venv/bin/python -m pip --disable-pip-version-check --quiet"
$pip wheel --no-deps --wheel-dir "$work" "$root"
$pip install "$work"/streamer-*.whl
mkdir "$work/empty"
cd "$work/empty"
"$work/venv/bin/streamer" models verify
"$work/venv/bin/streamer" demo --json | tail -n 1
