"""The same hedging step in PyTorch, as the yardstick for the project's own speed.

    pip install torch numpy
    python pytorch_network.py --network lstm --paths 4096 --steps 30 --hidden 32 --threads 1

One optimisation step = simulate nothing (fixed paths), run the network (torch.nn.LSTM,
torch.nn.GRU, torch.nn.Linear and ReLU, or torch.nn.TransformerEncoderLayer with a causal
mask) over the features of every path, take hedge ratios from a linear head, form P&L with
proportional costs, take CVaR, back-propagate with autograd, apply Adam.
Prints one JSON line: the median CPU seconds per step and paths x dates per second.
"""
import argparse
import json
import statistics
import time

import torch


class Recurrent(torch.nn.Module):
    def __init__(self, layer, a):
        super().__init__()
        self.layers = layer(a.features, a.hidden, a.layers)

    def forward(self, features):
        return self.layers(features)[0]


class Attention(torch.nn.Module):
    def __init__(self, a):
        super().__init__()
        self.embedding = torch.nn.Linear(a.features, a.hidden)
        layer = lambda: torch.nn.TransformerEncoderLayer(
            a.hidden, a.heads, 4 * a.hidden, dropout=0.0, norm_first=True, batch_first=True
        )
        self.layers = torch.nn.ModuleList(layer() for _ in range(a.layers))
        self.norm = torch.nn.LayerNorm(a.hidden)
        self.mask = torch.nn.Transformer.generate_square_subsequent_mask(a.steps)

    def forward(self, features):
        x = self.embedding(features.transpose(0, 1))
        for layer in self.layers:
            x = layer(x, src_mask=self.mask, is_causal=True)
        return self.norm(x).transpose(0, 1)


def perceptron(a):
    layers = []
    for layer in range(a.layers):
        inputs = a.features if layer == 0 else a.hidden
        layers += [torch.nn.Linear(inputs, a.hidden), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers)


# From features [steps, paths, features] to units [steps, paths, hidden].
NETWORKS = {
    "lstm": lambda a: Recurrent(torch.nn.LSTM, a),
    "gru": lambda a: Recurrent(torch.nn.GRU, a),
    "mlp": perceptron,
    "attention": Attention,
}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--network", choices=NETWORKS, default="lstm")
    p.add_argument("--layers", type=int, default=1)
    p.add_argument("--heads", type=int, default=2)
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
    network = NETWORKS[a.network](a)
    head = torch.nn.Linear(a.hidden, 1)
    parameters = [*network.parameters(), *head.parameters()]
    adam = torch.optim.Adam(parameters, lr=1e-3)
    cost, tail = 1e-3, max(1, round((1 - a.alpha) * a.paths))

    def step():
        position = head(network(features)).squeeze(-1)
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
