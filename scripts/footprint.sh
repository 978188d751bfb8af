#!/usr/bin/env bash
# What an installation takes: seconds, megabytes, packages. Nothing is taken from pip's cache.
#
#     scripts/footprint.sh [OUT.json]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=$(realpath --no-symlinks "${1:-/dev/stdout}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${PYTHON:-python3}" -m venv "$work/venv"
python=$work/venv/bin/python
pip="$python -m pip --disable-pip-version-check --quiet"
$pip wheel --no-deps --wheel-dir "$work" "$root" 2>/dev/null
packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
bare_kb=$(du -sk "$packages" | cut -f1)
begun=$(date +%s.%N)
$pip install --no-cache-dir --only-binary=:all: "$work"/streamer-*.whl 2>/dev/null
ended=$(date +%s.%N)
cd "$work"
begun_help=$(date +%s.%N)
"$work/venv/bin/streamer" --help >/dev/null
ended_help=$(date +%s.%N)
"$python" - "$packages" "$bare_kb" "$begun" "$ended" "$begun_help" "$ended_help" \
  "$(stat -c %s "$work"/streamer-*.whl)" >"$out" <<'PYTHON'
import json, platform, sys
from importlib.metadata import distributions
from pathlib import Path
folder, bare_kb, *times, wheel = sys.argv[1:]
begun, ended, begun_help, ended_help = map(float, times)
sizes = {
    d.metadata["Name"]: sum(p.stat().st_size for f in d.files or () if (p := Path(d.locate_file(f))).is_file())
    for d in distributions(path=[folder])
}
total = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
largest = sorted(sizes.items(), key=lambda pair: -pair[1])[:8]
print(json.dumps({
    "command": "scripts/footprint.sh",
    "machine": f"{platform.machine()}, Python {platform.python_version()}",
    "wheel_mb": round(int(wheel) / 1e6, 1),
    "install_s": round(ended - begun, 1),
    "installed_mb": round(total / 1e6 - int(bare_kb) / 1e3, 0),
    "packages": len(sizes) - 2,
    "first_help_s": round(ended_help - begun_help, 2),
    "largest_mb": {name: round(size / 1e6, 1) for name, size in largest},
}, indent=2))
PYTHON
