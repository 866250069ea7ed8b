#!/usr/bin/env bash
# Trains on a CUDA machine that is lent for minutes at a time and keeps nothing once it is given back.
#
#   benchmarks/gpu_train.sh pack CORPUS PACKED [MIB] [PARTS]   here: PACKED/part-0, part-1, …, each small enough to travel
#   benchmarks/gpu_train.sh bring FOLDER                       there: a part, or a piece of a checkpoint, to what has come
#   benchmarks/gpu_train.sh train FOLDER CONFIG [SECONDS]      there: bring FOLDER, resume, train, leave the run in $OUT
#   benchmarks/gpu_train.sh keep FETCHED PACKED                here: PACKED/run is whole again, PACKED/run-0, … carry it on
#   benchmarks/gpu_train.sh rehearse                           here: all of it from a bare copy of HEAD, on the processor
#
# A call carries one folder of PACKED beside the tracked files (some 40 MiB): 22 MiB of sound are about an hour of it. Parts
# add up in $WORK while the machine stays warm; part-0 comes first (its wheels are what a bare PyTorch lacks, with
# WHEELS=3.12 at `pack`, and it has all of the validation). The checkpoint comes back whole, optimizer and all, in at most
# four pieces of 15 MiB; run-0, run-1, … bring it to the next machine in as many calls.
#
# A session of 15 minutes, the ten of one command at most included:
#   start of the machine                    60 to 120 s
#   bring part-0, part-1, part-2             3 × about 25 s: transfer, and 10 s to decode an hour of sound
#   train part-3 CONFIG 510                  540 s with unpacking, saving and fetching: 510 s of steps
#   left over                                90 s at least, for a call that has to be given again
# At c clips a second those are 510 · c clips of 10 s: 100,000 at 200 a second. With a checkpoint to bring, its three pieces
# take the place of part-1 to part-3.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
WORK=${WORK:-/tmp/sightmix-train}
PIECE=15M # files that come back are of 16 MiB at most
CARRIED=22 # MiB beside the tracked files

pack() {
    "$PYTHON" benchmarks/pack_corpus.py pack "$1" "$2" --mib "${3:-$CARRIED}" --parts "${4:-4}"
    if [ -n "${WHEELS:-}" ]; then
        "$PYTHON" -m pip download -q --no-deps --only-binary=:all: --python-version "$WHEELS" --implementation cp \
            --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
            -c constraints.txt -d "$2/part-0/wheels" soxr soundfile cffi pycparser lightning-fabric lightning-utilities
    fi
    du -sh "$2"/part-*
}

rooms() {
    make --no-print-directory tree
    export PYTHONPATH=$PWD/build/tree:$WORK/site
}

bring() {
    mkdir -p "$WORK/run"
    rooms
    if [ -d "$1/wheels" ] && [ ! -d "$WORK/site" ]; then
        "$PYTHON" -m pip install -q --no-index --no-deps --target "$WORK/site" "$1"/wheels/*.whl
    fi
    if [ -f "$1/corpus.json.gz" ]; then
        "$PYTHON" benchmarks/pack_corpus.py unpack "$1" "$WORK/corpus"
    fi
    if ls "$1"/checkpoint.pt.* >/dev/null 2>&1; then
        mkdir -p "$WORK/pieces"
        cp "$1"/checkpoint.pt.* "$1/pieces" "$WORK/pieces/"
        # The last piece to come makes it whole; a run that has gone on since is not set back.
        if [ ! -f "$WORK/run/checkpoint.pt" ] && [ "$(ls "$WORK"/pieces/checkpoint.pt.* | wc -l)" = "$(cat "$WORK/pieces/pieces")" ]; then
            cat "$WORK"/pieces/checkpoint.pt.* >"$WORK/slim.pt"
            "$PYTHON" benchmarks/slim_checkpoint.py widen "$WORK/slim.pt" "$WORK/run/checkpoint.pt"
        fi
    fi
}

train() {
    local config=$2 seconds=${3:-510} out=${OUT:-out}
    bring "$1"
    mkdir -p "$out"
    if [ -d "$WORK/pieces" ] && [ ! -f "$WORK/run/checkpoint.pt" ]; then
        echo "Pieces of the checkpoint are missing: bring all of its folders first." >&2
        exit 1
    fi
    local device
    device=$("$PYTHON" -c 'import torch; print("cuda" if torch.cuda.is_available() else "cpu")')
    # The loop saves and stops on SIGTERM, which is status 124 here and no failure; its loader's processes get none.
    local status=0
    timeout --foreground --signal=TERM --kill-after=45 "$seconds" \
        "$PYTHON" -m sightmix.engine.training.loop.run "$config" --corpus "$WORK/corpus" --out "$WORK/run" --device "$device" ||
        status=$?
    "$PYTHON" benchmarks/slim_checkpoint.py slim "$WORK/run/checkpoint.pt" "$WORK/slim.pt" --most 60
    rm -f "$out"/checkpoint.pt.*
    split -b "$PIECE" -d "$WORK/slim.pt" "$out/checkpoint.pt."
    for log in log.jsonl validation.jsonl; do
        if [ -f "$WORK/run/$log" ]; then cp "$WORK/run/$log" "$out/"; fi
    done
    tail -n 3 "$WORK/run/log.jsonl"
    [ "$status" = 0 ] || [ "$status" = 124 ]
}

keep() {
    local run=$2/run
    ls "$1"/checkpoint.pt.* >/dev/null
    rm -rf "$run" "$2"/run-*
    mkdir -p "$run"
    cat "$1"/checkpoint.pt.* >"$run/slim.pt"
    rooms
    "$PYTHON" benchmarks/slim_checkpoint.py widen "$run/slim.pt" "$run/checkpoint.pt"
    for log in log.jsonl validation.jsonl; do
        if [ -f "$1/$log" ]; then cp "$1/$log" "$run/"; fi
    done
    split -b "${CARRIED}M" -d "$run/slim.pt" "$run/checkpoint.pt."
    local count number=0 piece
    count=$(ls "$run"/checkpoint.pt.* | wc -l)
    for piece in "$run"/checkpoint.pt.*; do
        mkdir "$2/run-$number"
        mv "$piece" "$2/run-$number/"
        echo "$count" >"$2/run-$number/pieces"
        number=$((number + 1))
    done
    rm "$run/slim.pt"
    du -sh "$2"/run*
}

rehearse() {
    local bare steps
    bare=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$bare'" EXIT
    PYTHON=$(realpath -s "$(command -v "$PYTHON")")
    git clone -q --depth 1 "file://$PWD" "$bare/tree"
    mkdir "$bare/corpus"
    PYTHONPATH=tests "$PYTHON" -c 'import sys, pathlib, tiny_training; tiny_training.build_corpus(pathlib.Path(sys.argv[1]))' "$bare/corpus"
    cd "$bare/tree"
    for steps in 4 8; do
        "$PYTHON" -c 'import json, sys
entries = json.load(open("engine/training/loop/configs/smoke.json")) | {"steps": int(sys.argv[1]), "seconds": 1.0, "validate_every": 4}
json.dump(entries | {"validate_clips": 2, "save_every": 2}, open(sys.argv[2], "w"))' "$steps" "$bare/$steps.json"
    done
    gpu() { PYTHON=$PYTHON bash benchmarks/gpu_train.sh "$@"; }
    gpu pack "$bare/corpus" "$bare/packed" 0.1 2
    export OUT=$bare/out
    export WORK=$bare/first
    gpu bring "$bare/packed/part-0"
    gpu train "$bare/packed/part-1" "$bare/4.json" 300
    gpu keep "$OUT" "$bare/packed"
    export WORK=$bare/second
    gpu bring "$bare/packed/part-0"
    gpu train "$bare/packed/run-0" "$bare/8.json" 300
    gpu keep "$OUT" "$bare/packed"
    "$PYTHON" -c 'import sys, torch; state = torch.load(sys.argv[1], weights_only=True); assert state["step"] == 8 and state["optimizer"]["state"], state["step"]' "$bare/packed/run/checkpoint.pt"
    echo "rehearsed: packed, brought in two parts, trained, kept, and gone on from on a bare machine"
}

case "${1:-}" in
pack | bring | train | keep | rehearse) "$@" ;;
*)
    sed -n '2,25s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
