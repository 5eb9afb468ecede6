"""Prints this project's figures beside its peers', from criterion's estimates and the peers' JSON lines.

    python table.py target/criterion peers.jsonl
"""
import json
import pathlib
import sys


def median(criterion, benchmark):
    """Median seconds of one benchmark."""
    estimates = criterion / benchmark / "new" / "estimates.json"
    return json.loads(estimates.read_text())["median"]["point_estimate"] * 1e-9


def products(hidden, features=3, paths=4_096, dates=30):
    """FLOP of the matrix products of a dense step: forward, back to h, and the gradient.

    The first two have nothing to do with h at the first date, which is zero.
    """
    rows, columns = 4 * hidden, hidden + features + 1
    forward, back, gradient = dates * columns - hidden, (dates - 1) * hidden, dates * columns
    return 2 * rows * paths * (forward + back + gradient)


def main():
    criterion, lines = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    peers = [json.loads(line) for line in lines.read_text().splitlines()]
    print("| step of 4,096 paths and 30 dates | deephedge | PyTorch as installed | PyTorch, allocator tuned | candle-nn |")
    print("|---|---|---|---|---|")
    for hidden in (32, 64):
        runs = {run["setting"]: run["seconds_per_step"] for run in peers if run.get("hidden") == hidden and run["network"] == "lstm"}
        runs["candle"] = median(criterion, f"H{hidden}/candle")
        for name, benchmark in (("dense", "dense"), ("tail only", "tail")):
            ours = median(criterion, f"H{hidden}/{benchmark}")
            cells = [f"{1e3 * runs[key]:.0f} ms ({runs[key] / ours:.1f}×)" for key in ("installed", "tuned", "candle")]
            print(f"| {hidden} units, {name} | {1e3 * ours:.1f} ms | {' | '.join(cells)} |")
    print()
    print("| network of 32 units, step of 4,096 paths and 30 dates | dense | tail only | PyTorch as installed | PyTorch, allocator tuned |")
    print("|---|---|---|---|---|")
    for network in ("lstm", "gru", "mlp", "attention"):
        runs = {run["setting"]: run["seconds_per_step"] for run in peers if run.get("hidden") == 32 and run["network"] == network}
        dense, tail = (median(criterion, f"network-{network}/{benchmark}") for benchmark in ("dense", "tail"))
        cells = [f"{1e3 * runs[key]:.0f} ms ({runs[key] / dense:.1f}×)" for key in ("installed", "tuned")]
        print(f"| {network} | {1e3 * dense:.1f} ms | {1e3 * tail:.1f} ms | {' | '.join(cells)} |")
    print()
    peak = 2 * 1024**3 / median(criterion, "gemm/1024")
    print("| dense step, products alone | GFLOP/s | of the gemm crate's |")
    print("|---|---|---|")
    for hidden in (32, 64):
        speed = products(hidden) / median(criterion, f"H{hidden}/dense")
        print(f"| {hidden} units | {speed / 1e9:.1f} | {speed / peak:.0%} |")
    print()
    print("| million path-steps per second | deephedge | pfhedge |")
    print("|---|---|---|")
    for name, benchmark, model in (("GBM", "GBM", "black_scholes"), ("Heston", "Heston", "heston")):
        ours = 65_536 * 30 / median(criterion, f"paths/{benchmark}")
        (theirs,) = (run["path_steps_per_second"] for run in peers if run.get("model") == model)
        print(f"| {name} | {ours / 1e6:.0f} | {theirs / 1e6:.1f} ({ours / theirs:.1f}×) |")


if __name__ == "__main__":
    main()
