#!/usr/bin/env bash
# Proves Streamer on ARM64 without such a board: a Debian arm64 root in FOLDER, run by qemu.
#
#     sudo scripts/arm64.sh FOLDER [TEST...]
#
# Installs from wheels only, hears a clip of 2 s through the whole loop, compares its embedding with
# this machine's, and passes the unit tests that need no speed (TEST names others). What it found is
# FOLDER/arm64.json. SUITE=trixie takes another Debian. Needs root, 3 GB, and on Debian:
# apt install debootstrap qemu-user-static python3-venv. FOLDER is used again when it is there.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mkdir -p "${1:?usage: scripts/arm64.sh FOLDER [TEST...]}" && cd "$1" && pwd)
shift
root=$folder/root
suite=${SUITE:-bookworm}
tests=("$@")
if [ ${#tests[@]} = 0 ]; then
  tests=(tests/core tests/store tests/screens tests/contracts tests/encoder tests/doctor tests/audio
    tests/test_ear.py tests/test_hearing.py tests/test_events.py tests/test_session.py
    tests/test_learning.py tests/test_labelling.py tests/test_config.py)
fi
# What the unit tests import, beside the product's own dependencies.
extras=(pytest hypothesis scikit-learn scipy onnx scikit-activeml modAL-python paho-mqtt)

[ "$(id -u)" = 0 ] || { echo "run it as root: a foreign root is entered with chroot" >&2; exit 1; }
for tool in debootstrap qemu-aarch64-static; do
  command -v $tool >/dev/null || {
    echo "no $tool: apt install debootstrap qemu-user-static" >&2; exit 1; }
done

register() { # the kernel is to run ARM64 programs by qemu, whatever root they stand in
  local binfmt=/proc/sys/fs/binfmt_misc
  [ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt
  [ -e $binfmt/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >$binfmt/register
}

inside() { # in a mount namespace of its own, so that nothing stays mounted
  unshare --mount --fork bash -c '
    mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" \
      env -i PATH=/srv/venv/bin:/usr/bin:/bin HOME=/root LANG=C.UTF-8 CI=1 \
      PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$@"' "$root" "$@"
}

register
if [ ! -x "$root/usr/bin/python3" ] || [ -d "$root/debootstrap" ]; then
  debootstrap --arch=arm64 --variant=minbase \
    --include=python3,python3-venv,libportaudio2,ca-certificates "$suite" "$root"
fi
arm_python=$(inside python3 -c 'import sys; print("%d%d" % sys.version_info[:2])')

# Wheels are fetched here, for there; a package without one stops it.
[ -x "$folder/venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$folder/venv"
pip="$folder/venv/bin/python -m pip --disable-pip-version-check --quiet"
rm -f "$root"/srv/wheels/streamer-*.whl
$pip wheel --no-deps --wheel-dir "$root/srv/wheels" "$here"
rm -rf "$root/srv/streamer" && mkdir -p "$root/srv/streamer"
cp -r "$here/tests" "$here/scripts" "$here/pyproject.toml" "$here/models" "$root/srv/streamer"
$pip download --only-binary=:all: --implementation cp --python-version "$arm_python" \
  --abi "cp$arm_python" --abi abi3 --abi none \
  --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
  --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 \
  --dest "$root/srv/wheels" "$root"/srv/wheels/streamer-*.whl "${extras[@]}"
begun=$SECONDS
[ -x "$root/srv/venv/bin/python" ] || inside python3 -m venv /srv/venv
install=(pip install --quiet --no-compile --no-index --find-links /srv/wheels)
inside "${install[@]}" --force-reinstall --no-deps streamer
inside "${install[@]}" streamer "${extras[@]}"
installed_s=$((SECONDS - begun))

# The same clip, heard by both.
$pip install --force-reinstall --no-deps "$root"/srv/wheels/streamer-*.whl
$pip install "$root"/srv/wheels/streamer-*.whl
(cd "$folder" && venv/bin/python "$here/scripts/one_clip.py" make clip.wav &&
  venv/bin/python "$here/scripts/one_clip.py" hear clip.wav here.json)
cp "$folder/clip.wav" "$root/srv/streamer/clip.wav"
inside bash -c 'cd /srv/streamer && python scripts/one_clip.py hear clip.wav heard.json'
$folder/venv/bin/python "$here/scripts/one_clip.py" compare \
  "$folder/here.json" "$root/srv/streamer/heard.json" "$folder/arm64.json"

begun=$SECONDS
status=0
inside bash -c 'cd /srv/streamer && exec timeout --signal=INT "${0}" python -m pytest -p no:cacheprovider \
  --hypothesis-profile=emulated --deselect tests/screens/test_ask.py::test_in_a_real_terminal \
  --deselect tests/encoder/test_acoustic.py::test_the_command_line_lists_it_and_listens_with_it \
  -o addopts="--strict-markers --import-mode=importlib -m \"not long\"" -q "$@"' \
  "${LIMIT:-7200}" "${tests[@]}" | tee "$folder/tests.log" || status=$?
"$folder/venv/bin/python" - "$folder/arm64.json" "$(tail -n 1 "$folder/tests.log")" \
  "$((SECONDS - begun))" "$installed_s" "$suite" "$status" "${tests[@]}" <<'PYTHON'
import json, sys
from pathlib import Path
file, summary, tests_s, installed_s, suite, status, *tests = sys.argv[1:]
row = json.loads(Path(file).read_text())
row |= {
    "command": "scripts/arm64.sh FOLDER", "system": f"Debian {suite} arm64, by qemu-aarch64-static",
    "installed_from_wheels_s": int(installed_s), "tests": summary.strip("= "), "tests_of": tests,
    "tests_s": int(tests_s), "tests_passed": status == "0",
}
Path(file).write_text(json.dumps(row, indent=2) + "\n")
PYTHON
cat "$folder/arm64.json"
exit $status
