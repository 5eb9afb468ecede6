"""The same hedging step in PyTorch, as the yardstick for the project's own speed.

    pip install torch numpy
    python pytorch_lstm.py --paths 4096 --steps 30 --hidden 32 --threads 1

One optimisation step = simulate nothing (fixed paths), run torch.nn.LSTM over the
features of every path, take hedge ratios from a linear head, form P&L with
proportional costs, take CVaR, back-propagate with autograd, apply Adam.
Prints one JSON line: the median CPU seconds per step and paths x dates per second.
"""
import argparse
import json
import statistics
import time

import torch


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--paths", type=int, default=4096)
    p.add_argument("--steps", type=int, default=30, help="trading dates per path")
    p.add_argument("--hidden", type=int, default=32)
    p.add_argument("--features", type=int, default=3)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--repeats", type=int, default=15)
    p.add_argument("--alpha", type=float, default=0.95, help="CVaR level")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    returns = torch.randn(a.steps, a.paths) * 0.2 * (1 / 365) ** 0.5
    spot = 100 * torch.exp(torch.cat([torch.zeros(1, a.paths), returns.cumsum(0)]))
    features = torch.randn(a.steps, a.paths, a.features)
    lstm = torch.nn.LSTM(a.features, a.hidden)
    head = torch.nn.Linear(a.hidden, 1)
    parameters = [*lstm.parameters(), *head.parameters()]
    adam = torch.optim.Adam(parameters, lr=1e-3)
    cost, tail = 1e-3, max(1, round((1 - a.alpha) * a.paths))

    def step():
        position = head(lstm(features)[0]).squeeze(-1)
        trade = torch.diff(position, dim=0, prepend=torch.zeros(1, a.paths))
        pnl = (position * spot.diff(dim=0)).sum(0) - cost * (spot[:-1] * trade.abs()).sum(0)
        pnl = pnl - cost * spot[-1] * position[-1].abs() - (spot[-1] - 100).clamp(min=0)
        loss = torch.topk(-pnl, tail).values.mean()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        return loss

    for _ in range(3):
        step()
    times = []
    for _ in range(a.repeats):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    seconds = statistics.median(times)
    print(json.dumps(dict(peer=f"pytorch {torch.__version__}", seconds_per_step=seconds, path_dates_per_second=a.paths * a.steps / seconds, **vars(a))))


if __name__ == "__main__":
    main()
