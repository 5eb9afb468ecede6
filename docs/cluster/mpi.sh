#!/usr/bin/env bash
# One comparison over 16 processes on the nodes that Slurm gives. Submit with
#     sbatch mpi.sh study.toml --seeds 8
#SBATCH --job-name=deephedge
#SBATCH --ntasks=16
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=1G
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@120
set -eu
export RAYON_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
# Where Slurm has no PMIx (`srun --mpi=list` says what it has), `mpirun` takes the place of `srun --mpi=pmix`.
exec srun --mpi=pmix --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" deephedge compare "$@" --runs runs
