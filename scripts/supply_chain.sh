#!/usr/bin/env bash
# Before a release: what is shipped, under which licences, and whether any of it is known to be bad.
#
#     scripts/supply_chain.sh FOLDER
#
# Installs the wheel alone, then writes FOLDER/requirements.txt, THIRD_PARTY.md and sbom.cdx.json
# (CycloneDX), and asks pip-audit, which needs the advisory database's network.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mkdir -p "${1:?usage: scripts/supply_chain.sh FOLDER}" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for name in shipped tools; do "${PYTHON:-python3}" -m venv "$work/$name"; done
pip="-m pip --disable-pip-version-check --quiet"
"$work/shipped/bin/python" $pip wheel --no-deps --wheel-dir "$work" "$root"
"$work/shipped/bin/python" $pip install --only-binary=:all: "$work"/streamer-*.whl
"$work/shipped/bin/python" $pip uninstall --yes pip setuptools 2>/dev/null
"$work/tools/bin/python" $pip install pip-audit cyclonedx-bom

"$work/tools/bin/python" -m pip --python "$work/shipped/bin/python" freeze --exclude streamer \
  >"$folder/requirements.txt"
"$work/tools/bin/cyclonedx-py" environment "$work/shipped/bin/python" \
  --pyproject "$root/pyproject.toml" --output-reproducible --of JSON -o "$folder/sbom.cdx.json"
"$work/shipped/bin/python" "$root/scripts/licences.py" >"$folder/THIRD_PARTY.md"
echo "$(wc -l <"$folder/requirements.txt") packages, licences and SBOM in $folder" >&2
"$work/tools/bin/pip-audit" --strict --no-deps --disable-pip -r "$folder/requirements.txt"
