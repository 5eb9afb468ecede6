"""Path generation in pfhedge, as the yardstick for the speed of path generation.

    pip install torch pfhedge
    python pfhedge_simulation.py --paths 100000 --steps 30 --threads 1

Prints one JSON line per model: median CPU seconds and path-steps per second.
"""
import argparse
import json
import statistics
import time

import torch
from pfhedge.instruments import BrownianStock, HestonStock, MertonJumpStock, RoughBergomiStock


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--paths", type=int, default=100_000)
    p.add_argument("--steps", type=int, default=30)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--repeats", type=int, default=5)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    horizon, dt = a.steps / 365, 1 / 365
    models = dict(
        black_scholes=BrownianStock(dt=dt),
        heston=HestonStock(kappa=1.0, theta=0.04, sigma=0.3, rho=-0.7, dt=dt),
        merton=MertonJumpStock(dt=dt),
        rough_bergomi=RoughBergomiStock(dt=dt),
    )
    for name, stock in models.items():
        times = []
        for _ in range(a.repeats + 1):
            start = time.process_time()
            stock.simulate(n_paths=a.paths, time_horizon=horizon)
            times.append(time.process_time() - start)
        seconds = statistics.median(times[1:])
        print(json.dumps(dict(peer="pfhedge", model=name, seconds=seconds, path_steps_per_second=a.paths * a.steps / seconds)))


if __name__ == "__main__":
    main()
