#!/usr/bin/env bash
# A comparison as an array of Slurm jobs, each with a shard of its trainings. Submit with
#     sbatch --array=1-16 array.sh 16 study.toml --seeds 16
#SBATCH --job-name=deephedge
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@120
#SBATCH --open-mode=append
#SBATCH --requeue
set -u
shards=$1
shift
# A folder of runs of its own: what is in it is this shard, begun before the job was put into the queue again.
runs=shards/$SLURM_ARRAY_JOB_ID/$SLURM_ARRAY_TASK_ID
mkdir -p "$runs"
run=$(ls "$runs")
export RAYON_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
if [ -n "$run" ]; then
    srun deephedge compare --resume "$run" --runs "$runs"
else
    srun deephedge compare "$@" --shard "$SLURM_ARRAY_TASK_ID/$shards" --runs "$runs"
fi
code=$?
# Stopped at a checkpoint, because the time is nearly over: the same job goes on from there.
if [ "$code" -eq 3 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
