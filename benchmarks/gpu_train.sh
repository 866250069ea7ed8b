#!/usr/bin/env bash
# Trains on a CUDA machine that is lent for minutes at a time and keeps nothing between calls.
#
#   benchmarks/gpu_train.sh pack CORPUS PACKED [MIB]    here: an even choice of the corpus, small enough to travel
#   benchmarks/gpu_train.sh train PACKED CONFIG [SECONDS]   there: resume, train, leave the checkpoint in $OUT
#   benchmarks/gpu_train.sh keep FETCHED PACKED         here: put what came back where the next call resumes from
#
# PACKED is one folder to carry along; WHEELS=3.12 with `pack` adds the few packages a bare PyTorch of that Python lacks.
# While a machine stays warm, calls go on from the full checkpoint in $WORK there. What comes back is a slim one, in half
# precision and parts of at most 15 MiB (checkpoint.pt.00, .01, …), beside log.jsonl: `cat` them to export or to go on.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}

pack() {
    "$PYTHON" benchmarks/pack_corpus.py pack "$1" "$2" --mib "${3:-30}"
    if [ -n "${WHEELS:-}" ]; then
        "$PYTHON" -m pip download -q --no-deps --only-binary=:all: --python-version "$WHEELS" --implementation cp \
            --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
            -c constraints.txt -d "$2/wheels" soxr soundfile cffi pycparser av lightning-fabric lightning-utilities
    fi
    du -sh "$2"
}

train() {
    local packed=$1 config=$2 seconds=${3:-540} out=${OUT:-out} work=${WORK:-/tmp/sightmix-train}
    mkdir -p "$out" "$work/run"
    make --no-print-directory tree
    export PYTHONPATH=$PWD/build/tree:$work/site
    if [ -d "$packed/wheels" ] && [ ! -d "$work/site" ]; then
        "$PYTHON" -m pip install -q --no-index --no-deps --target "$work/site" "$packed"/wheels/*.whl
    fi
    [ -d "$work/corpus" ] || "$PYTHON" benchmarks/pack_corpus.py unpack "$packed" "$work/corpus"
    if [ ! -f "$work/run/checkpoint.pt" ] && ls "$packed"/run/checkpoint.pt.* >/dev/null 2>&1; then
        cat "$packed"/run/checkpoint.pt.* >"$work/run/checkpoint.pt"
    fi
    local device
    device=$("$PYTHON" -c 'import torch; print("cuda" if torch.cuda.is_available() else "cpu")')
    # The loop saves and stops on SIGTERM, which is status 124 here and no failure; its loader's processes get none.
    local status=0
    timeout --foreground --signal=TERM --kill-after=45 "$seconds" \
        "$PYTHON" -m sightmix.engine.training.loop.run "$config" --corpus "$work/corpus" --out "$work/run" --device "$device" ||
        status=$?
    "$PYTHON" benchmarks/slim_checkpoint.py "$work/run/checkpoint.pt" "$work/slim.pt"
    split -b 15M -d "$work/slim.pt" "$out/checkpoint.pt."
    cp "$work/run/log.jsonl" "$out/"
    tail -n 3 "$work/run/log.jsonl"
    [ "$status" = 0 ] || [ "$status" = 124 ]
}

keep() {
    ls "$1"/checkpoint.pt.* >/dev/null
    rm -rf "$2/run"
    mkdir -p "$2/run"
    cp "$1"/checkpoint.pt.* "$1/log.jsonl" "$2/run/"
}

case "${1:-}" in
pack | train | keep) "$@" ;;
*)
    sed -n '2,10s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
