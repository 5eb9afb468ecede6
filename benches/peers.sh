#!/usr/bin/env bash
# Runs the benchmarks and what a user would reach for instead one after the other, each with one thread
# on one core, and prints both with their ratios.
#
#     PYTHON=.venv/bin/python CORE=1 benches/peers.sh
#
# PYTHON needs `pip install torch pfhedge`.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
core=${CORE:-1}
peers=$(mktemp)
trap 'rm -f "$peers"' EXIT

cargo bench --bench sweep --no-run
RAYON_NUM_THREADS=1 taskset -c "$core" cargo bench --bench sweep -- '/(dense|tail|candle|1024|GBM|Heston)$' >&2

for hidden in 32 64; do
    for setting in installed tuned; do
        environment=(OMP_NUM_THREADS=1)
        # No page faults: freed memory stays with the process.
        [[ $setting == installed ]] || environment+=(MALLOC_MMAP_MAX_=0
            MALLOC_TRIM_THRESHOLD_=100000000000 MALLOC_TOP_PAD_=1000000000)
        step() {
            env "${environment[@]}" taskset -c "$core" "$python" benches/peers/pytorch_network.py --hidden "$hidden" "$@" |
                sed "s/^{/{\"setting\": \"$setting\", /" >>"$peers"
        }
        step
        [[ $hidden == 64 ]] || for network in gru "mlp --layers 3" attention; do
            # shellcheck disable=SC2086 # a network and its layers
            step --network $network
        done
    done
done
taskset -c "$core" "$python" benches/peers/pfhedge_simulation.py >>"$peers"
"$python" benches/peers/table.py target/criterion "$peers"
