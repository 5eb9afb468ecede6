#!/usr/bin/env python3
"""Trains small policies, exports them, and holds their ONNX models against the program.

    python3 -m venv target/onnx && target/onnx/bin/pip install numpy onnx onnxruntime
    cargo build --release && target/onnx/bin/python tests/onnx/check.py

For every network and action: the model passes onnx's own checker; onnxruntime holds the positions of the program, to 1e-5, on test paths,
date by date with its own memory; with them the formula of the ledger gives the run's P&L. An LSTM whose gates are in another
order must fail. Bad input must be refused in a line. Exit code 1 if anything is not so. --latency measures instead.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parent))
from compare import Policy, hedge, own, read_table  # noqa: E402

CHECKOUT = Path(__file__).resolve().parent.parent.parent
TOLERANCE = 1e-5
RATE = 0.01

HESTON = """[market]
model = "heston"
v0 = 0.04
kappa = 1.5
theta = 0.04
sigma = 0.3
rho = -0.7
"""
TWO_ASSETS = """[market]
correlation = [[1.0, 0.6], [0.6, 1.0]]
[market.assets.dax]
model = "heston"
v0 = 0.04
kappa = 2.0
theta = 0.04
sigma = 0.4
rho = -0.7
[market.assets.spx]
model = "gbm"
volatility = 0.18
"""
SURFACES = f"""[market]
model = "surface_bootstrap"
surface = "{CHECKOUT / "market_data" / "synthetic_surface.csv"}"
"""
OPTION = '{ type = "call", strike = { moneyness = 1.0 }, expiry_days = 60, proportional = 0.01 }'

STRATEGY = """
name = "{name}"
seed = 7
{market}
[contract]
{contract}
expiry_days = {days}
days_per_year = 252
[costs]
proportional = {rate}
[policy]
{policy}
{limits}
[training]
steps = {steps}
paths = 256
[evaluation]
paths = 1000
hedges = ["naked"]
[optimizers.kfac]
"""

LSTM = {"policy": 'network = "lstm"\nhidden = 8\nlayers = 2'}

# What is special about each: the policy, and the market, the contract, the days that it lives and the limits unless they are the usual ones.
CASES = {
    "lstm": LSTM,
    "lstm, normalised, position held": {
        "policy": 'network = "lstm"\nhidden = 8\nlayer_normalisation = true\n'
        'features = ["log_moneyness", "volatility", "time_left", "previous_position"]',
    },
    "lstm, barrier": {
        "contract": 'type = "down_and_out_call"\nstrike = 100\nbarrier = 97',
        "policy": 'network = "lstm"\nhidden = 8\nfeatures = ["log_moneyness", "volatility", "time_left", "previous_position"]',
    },
    "lstm, centred band, option": {
        "policy": 'network = "lstm"\nhidden = 8\naction = "centred_band"\nbenchmark = "delta_vega"\nband_width = 0.05\n'
        'band_form = "whalley_wilmott"\ncurvature_scale = 0.2\n'
        'features = ["smile_moneyness", "log_time_left", "log_volatility", "delta", "vega_ratio"]\n'
        f'standardise = true\nfeature_bound = 2.5\ninstruments = ["spot", {OPTION}]',
    },
    "gru": {"policy": 'network = "gru"\nhidden = 8\nlayers = 2'},
    "gru, normalised, band": {
        "policy": 'network = "gru"\nhidden = 8\nlayer_normalisation = true\naction = "band"\nbenchmark = "black_scholes"\n'
        "band_width = 0.05",
    },
    "gru, Asian": {"contract": 'type = "asian_call"\nstrike = 100\nfixings = 6', "policy": 'network = "gru"\nhidden = 8'},
    "gru, worst of two": {
        "market": TWO_ASSETS,
        "contract": 'type = "worst_of_call"\nstrike = 100',
        "policy": 'network = "gru"\nhidden = 8\nfeatures = ["log_moneyness", "volatility", "time_left", "realised_volatility"]',
    },
    "mlp": {
        "policy": 'network = "mlp"\nhidden = 16\nlayers = 2\n'
        'features = ["log_moneyness", "volatility", "time_left", "last_return", "realised_volatility", "previous_position"]',
    },
    "mlp, normalised, bounded": {
        "policy": 'network = "mlp"\nhidden = 16\nlayer_normalisation = true\naction = "bounded"\nlowest_position = -0.25\n'
        "highest_position = 0.75\nstandardise = true\nfeature_bound = 2.0",
    },
    "mlp, calls from ranges": {
        "market": HESTON.replace("v0 = 0.04", "v0 = [0.02, 0.09]"),
        "contract": 'type = "call"\nstrike = { moneyness = [0.9, 1.1] }',
        "days": "[5, 30]",
        "policy": 'network = "mlp"\nhidden = 16\nfeatures = ["log_moneyness", "volatility", "time_left", "previous_position"]',
    },
    "attention": {"policy": 'network = "attention"\nhidden = 8\nheads = 2\nlayers = 2'},
    "attention, limits": {
        "policy": 'network = "attention"\nhidden = 8\nheads = 2\n'
        f'features = ["log_moneyness", "volatility", "time_left", "previous_position"]\ninstruments = ["spot", {OPTION}]',
        "limits": "[limits]\nhighest_position = 0.5\nlargest_trade = 0.2\nlot = 0.05\nshort_sales = false\ncapital = 30\n",
    },
    "linear, residual": {
        "policy": 'network = "linear"\naction = "residual"\nbenchmark = "black_scholes"\n'
        'features = ["smile_moneyness", "log_time_left", "log_volatility", "log_one_month", "delta", "gamma", "value"]',
    },
    "linear, surfaces": {
        "market": SURFACES,
        "policy": 'network = "linear"\naction = "residual"\nbenchmark = "smile_delta"\n'
        'features = ["smile_moneyness", "log_time_left", "surface_level", "surface_slope", "surface_moneyness", "surface_smile", '
        '"surface_smirk"]',
    },
}


def strategy_of(case, name, steps):
    usual = {"market": HESTON, "contract": "", "days": 30, "limits": ""}
    return STRATEGY.format(**(usual | case), name=name, steps=steps, rate=RATE)


class Failure(Exception):
    """What is not as it should be."""


def expect(holds, what):
    if not holds:
        raise Failure(what)


class Program:
    """The program, with its runs in a folder."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder

    def run(self, *arguments):
        environment = dict(os.environ, RAYON_NUM_THREADS="1") if "RAYON_NUM_THREADS" not in os.environ else None
        command = [self.binary, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    def json(self, *arguments):
        done = self.run("--json", *arguments)
        expect(done.returncode == 0, f"{arguments}: {done.stderr}")
        return json.loads(done.stdout)

    def trained(self, strategy):
        """The id of a run of one training."""
        file = self.folder / "strategy.toml"
        file.write_text(strategy)
        self.json("train", file, "--optimizer", "kfac", "--runs", self.folder / "runs")
        return self.json("runs", "list", "--runs", self.folder / "runs")["runs"][0]["run"]

    def exported(self, run, paths=1000):
        model, positions = self.folder / "policy.onnx", self.folder / "positions.csv"
        options = ["--out", model, "--positions", positions, "--paths", paths, "--runs", self.folder / "runs"]
        said = self.json("runs", "onnx", run, "--optimizer", "kfac", *options)
        expect(said["bytes"] == model.stat().st_size, "the program says how large the file is")
        return str(model), read_table(positions)


def pnl(table, instruments, held):
    """The ledger's formula without a rate at costs in proportion to what is traded: premium − paid + Σ δ ΔP − Σ k P |Δδ|."""
    prices = numpy.stack([table[f"price_{name}"] for name in instruments], axis=2)
    # A contract that has ended is not hedged, and leaving it costs what a trade costs.
    held = numpy.where(numpy.isnan(own(instruments, table)), 0.0, held)
    nothing = numpy.zeros_like(held[:, :1])
    positions = numpy.concatenate([nothing, held, nothing], axis=1)
    trades = numpy.abs(numpy.diff(positions, axis=1))
    gain = (held * numpy.diff(prices, axis=1)).sum(axis=(1, 2))
    cost = RATE * (prices * trades).sum(axis=(1, 2))
    return table["received"][:, -1] - table["paid"][:, -1] + gain - cost


def account(table):
    last = {name: table[name][:, -1] for name in ["received", "paid", "gain", "cost", "financing"]}
    return last["received"] - last["paid"] + last["gain"] - last["cost"] + last["financing"]


def check_case(program, name, steps):
    run = program.trained(strategy_of(CASES[name], name, steps))
    model, table = program.exported(run)
    onnx.checker.check_model(onnx.load(model), full_check=True)
    instruments, held = hedge(model, table)
    expected = own(instruments, table)
    expect(held.shape[:2] == (1000, 30), f"{name}: {held.shape}")
    # Where the contract has ended nobody asks.
    asked = ~numpy.isnan(expected)
    expect(asked.mean() > 0.5, f"{name}: hardly a contract lives")
    worst = numpy.abs(held - expected)[asked].max()
    expect(worst <= TOLERANCE, f"{name}: positions differ by {worst:.2e}")
    expect(expected[asked].std() > 0.01, f"{name}: positions do not differ from each other")
    own_pnl, run_pnl = pnl(table, instruments, held), account(table)
    worst_pnl = numpy.abs(own_pnl - run_pnl).max()
    expect(worst_pnl <= 10 * TOLERANCE, f"{name}: P&L differs by {worst_pnl:.2e}")
    rows = program.json("runs", "show", run, "--runs", program.folder / "runs")["evaluation"]
    row = next(row for row in rows if row["strategy"] == "kfac")
    mean = abs(row["pnl_mean"] - run_pnl.mean())
    expect(row["paths"] == 1000 and mean < 1e-9, f"{name}: the table is not of the run's paths: {mean}")
    print(f"{name:34} |Δδ| {worst:.1e}  |ΔP&L| {worst_pnl:.1e}  {Path(model).stat().st_size:6} bytes")
    return model, table


def check_gates(program, steps):
    """The gates of every layer in the program's own order, not the operator's, are another network."""
    model, table = program.exported(program.trained(strategy_of(LSTM, "gates", steps)))
    wrong = onnx.load(model)
    layers = [node for node in wrong.graph.node if node.op_type == "LSTM"]
    matrices = {name for node in layers for name in node.input[1:4]}
    expect(len(matrices) == 6, "two layers have two matrices and biases each")
    for tensor in wrong.graph.initializer:
        if tensor.name in matrices:
            # Of biases the second half, which is 0, follows.
            numbers = numpy_helper.to_array(tensor).copy()
            rows = numbers.reshape(1, -1, 1) if numbers.ndim == 2 else numbers
            expect(numbers.ndim == 3 or not rows[:, rows.shape[1] // 2 :].any(), "what recurs has no bias")
            of_gates = rows[:, : rows.shape[1] // 2] if numbers.ndim == 2 else rows
            i, o, f, c = numpy.split(of_gates.copy(), 4, axis=1)
            of_gates[...] = numpy.concatenate([i, f, c, o], axis=1)
            tensor.CopyFrom(numpy_helper.from_array(numbers, tensor.name))
    file = str(program.folder / "wrong.onnx")
    onnx.save(wrong, file)
    onnx.checker.check_model(wrong, full_check=True)
    instruments, held = hedge(file, table)
    difference = numpy.nanmax(numpy.abs(held - own(instruments, table)))
    expect(difference > 1000 * TOLERANCE, f"gates in another order: positions differ by {difference:.2e} alone")
    print(f"{'gates in another order':34} |Δδ| {difference:.1e}, as it must")


def check_batch(model, table):
    """A contract alone is hedged as among a thousand."""
    instruments, all_at_once = hedge(model, table)
    _, alone = hedge(model, {name: values[3:4] for name, values in table.items()})
    worst = numpy.abs(alone - all_at_once[3:4]).max()
    expect(worst < 1e-6, f"one contract alone: {worst:.2e}")


def check_bad_input(program, run):
    runs = ["--runs", program.folder / "runs"]
    file = program.folder / "classical.toml"
    prices = CHECKOUT / "market_data" / "sp500_daily.csv"
    history = f'[backtest]\ndata = "{prices}"\nstart = "2010-01-01"\n'
    file.write_text(strategy_of(LSTM, "classical", 1).replace("[optimizers.kfac]", history))
    program.json("backtest", file, *runs)
    classical = program.json("runs", "list", *runs)["runs"][0]["run"]
    out = program.folder / "never.onnx"
    refused = {
        "unknown optimizer": ([run, "--optimizer", "adamant", "--out", out], "--optimizer: must be one of kfac"),
        "unknown seed": ([run, "--seed", "8", "--out", out], "--seed: must be one of 7, was 8"),
        "no number": ([run, "--seed=-1", "--out", out], "--seed"),
        "no file": ([run], "--out"),
        "no policy": ([classical, "--out", out], "has no trained policies"),
        "no run": (["nowhere", "--out", out], "nowhere"),
        "no table": ([run, "--out", out, "--positions", program.folder / "table.txt"], ".csv or .parquet"),
        "too many paths": ([run, "--out", out, "--positions", program.folder / "t.csv", "--paths", 1001], "from 1 to 1000"),
        "no paths": ([run, "--out", out, "--positions", program.folder / "t.csv", "--paths", 0], "from 1 to 1000"),
        "a folder": ([run, "--out", program.folder], "not a file"),
    }
    for what, (arguments, words) in refused.items():
        done = program.run("runs", "onnx", *arguments, *runs)
        expect(done.returncode == 2, f"{what}: exit code {done.returncode}")
        expect(words in done.stderr, f"{what}: {done.stderr}")
        expect(not out.exists(), f"{what}: a file was written")
    print("bad input is refused")


def measure(model):
    """The seconds of a call."""
    policy = Policy(model)
    generator = numpy.random.default_rng(0)
    for contracts, calls in [(1, 20_000), (10_000, 200)]:
        policy.sell(contracts)
        market = {name: generator.uniform(0.5, 1.5, contracts) for name in policy.observed}
        inputs = {name: values.reshape(-1, 1) for name, values in market.items()} | policy.state
        times = []
        for _ in range(calls):
            start = time.perf_counter()
            policy.session.run(None, inputs)
            times.append(time.perf_counter() - start)
        times = numpy.array(times) * 1e6
        print(f"{contracts} contracts: median {numpy.median(times):.1f} µs, fastest {times.min():.1f} µs")
    print(f"{Path(model).stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(CHECKOUT / "target" / "release" / "deephedge"))
    parser.add_argument("--steps", type=int, default=15, help="steps of a training")
    parser.add_argument("--only", default="", help="cases whose names contain this")
    parser.add_argument("--latency", metavar="MODEL", help="measure calls of a model and stop")
    arguments = parser.parse_args()
    if arguments.latency:
        measure(arguments.latency)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        program = Program(arguments.program, Path(folder))
        try:
            model = None
            for name in CASES:
                if arguments.only in name:
                    model, table = check_case(program, name, arguments.steps)
                    check_batch(model, table)
            expect(model is not None, f"--only {arguments.only}: no case")
            check_gates(program, arguments.steps)
            check_bad_input(program, program.trained(strategy_of(LSTM, "bad input", 2)))
        except Failure as failure:
            print(f"failed: {failure}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
