#!/usr/bin/env bash
# One run of the shards of an array of jobs. Submit with
#     sbatch --dependency=afterok:ARRAY_JOB_ID merge.sh ARRAY_JOB_ID
#SBATCH --job-name=deephedge-merge
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=01:00:00
set -eu
export RAYON_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
# Names of what a dashboard or a lock keeps there do not match: shards lie in folders.
exec deephedge runs merge shards/"$1"/*/*/ --runs runs
