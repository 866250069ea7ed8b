#!/usr/bin/env bash
# Trains on from the shipped model behind all other work, for as long as it is left to.
#
#   benchmarks/mill.sh [FOLDER]          build the corpus if there is none, start or resume the newest run; Ctrl-C saves
#   benchmarks/mill.sh --line [FOLDER]   one line: whether its best weights beat what is shipped, on validation alone
#
# FOLDER is kept outside the tree: $SIGHTMIX_MILL, or ~/.cache/sightmix/mill. CORPUS=DIR takes a corpus that is there,
# CONFIG=FILE another configuration, NICE=N another priority than the lowest. Begun with `setsid`, it has a session of
# its own and gives way to all others. It may be killed at any moment: checkpoints are whole or not there, and the next
# start goes on from the last one. Two mills never grind the same folder.
set -euo pipefail
cd "$(dirname "$0")/.."

line=
if [ "${1:-}" = --line ]; then
    line=1
    shift
fi
case "${1:-}" in -*)
    sed -n '2,10s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
folder=${1:-${SIGHTMIX_MILL:-${XDG_CACHE_HOME:-$HOME/.cache}/sightmix/mill}}
PYTHON=${PYTHON:-.venv/bin/python}
if [ ! -x "$PYTHON" ] && ! command -v "$PYTHON" >/dev/null; then
    make --no-print-directory install
fi
if [ -n "$line" ]; then
    exec "$PYTHON" benchmarks/mill.py "$folder" --line
fi

mkdir -p "$folder"
exec 9>>"$folder/lock"
if ! flock -n 9; then
    echo "A mill is grinding in $folder already; stop it first, or give another folder." >&2
    exit 3
fi

quietly=(nice -n "${NICE:-39}") # from any priority to the lowest there is
if command -v ionice >/dev/null && ionice -c 3 true 2>/dev/null; then
    quietly+=(ionice -c 3)
fi
# Linux shares the processor out by session before it looks at priorities: give the session the lowest, if it is our own.
if [ "$(ps -o sid= -p $$ | tr -d ' ')" = "$$" ] && [ -w "/proc/$$/autogroup" ]; then
    echo "${NICE:-19}" >"/proc/$$/autogroup" || true
fi
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
corpus=${CORPUS:-$folder/corpus}
if [ ! -f "$corpus/corpus.json" ]; then
    echo "Building the corpus in $corpus; this is done once."
    "${quietly[@]}" "$PYTHON" -m sightmix.engine.training.material.corpus --recipe open --cache "$folder/packages" --out "$corpus"
fi
if [ ! -f "$corpus/pictures.npz" ]; then
    "${quietly[@]}" "$PYTHON" -m sightmix.engine.training.scenes.pictures "$corpus" --threads 1
fi
exec "${quietly[@]}" "$PYTHON" benchmarks/mill.py "$folder" --corpus "$corpus" ${CONFIG:+--config "$CONFIG"}
