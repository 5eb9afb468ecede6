#!/usr/bin/env python3
"""Hedges the test paths of a run with its policy as an ONNX model, and compares the positions with the program's own.

    deephedge runs onnx RUN --out policy.onnx --positions positions.csv
    tests/onnx/compare.py policy.onnx positions.csv

The model decides date by date: it sees what the table says of the market and the contract, and what it held and carried itself. Needs
numpy and onnxruntime. Exit code 1 if a position differs by more than --tolerance (1e-5 units, unless given).
"""

import argparse
import csv
import json
import sys

import numpy
import onnxruntime

TYPES = {"tensor(double)": numpy.float64, "tensor(float)": numpy.float32}


def read_table(path):
    """The columns of the table by name, each [paths, dates]; a position that there is not is NaN."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        numbers = numpy.array([[float(cell) if cell else numpy.nan for cell in row] for row in rows])
    table = {name: numbers[:, column] for column, name in enumerate(header)}
    paths, dates = int(table["path"][-1]) + 1, int(table["date"][-1]) + 1
    return {name: values.reshape(paths, dates) for name, values in table.items()}


class Policy:
    """A policy that is told of a date what is observed, and remembers what is to be carried to the next."""

    def __init__(self, model):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        about = self.session.get_modelmeta().custom_metadata_map
        self.instruments = json.loads(about["instruments"])
        self.observed = [one["name"] for one in json.loads(about["observed"])]
        self.carried = [(one["input"], one["output"]) for one in json.loads(about["carried"])]
        self.ports = {port.name: port for port in self.session.get_inputs()}
        # A policy without memory carries nothing.
        assert sorted(self.ports) == sorted(self.observed + [name for name, _ in self.carried])

    def sell(self, contracts):
        """Begins with so many contracts, of which nothing is held."""
        self.state = {}
        for name, _ in self.carried:
            shape = [size if isinstance(size, int) else 0 for size in self.ports[name].shape]
            shape[0] = contracts
            self.state[name] = numpy.zeros(shape, TYPES[self.ports[name].type])

    def hold(self, market):
        """The positions to hold, [contracts, instruments], from what is observed of every contract."""
        inputs = {name: numpy.asarray(market[name], numpy.float64).reshape(-1, 1) for name in self.observed}
        outputs = ["position"] + [name for _, name in self.carried if name != "position"]
        values = dict(zip(outputs, self.session.run(outputs, inputs | self.state)))
        self.state = {name: values[output] for name, output in self.carried}
        return values["position"]


def hedge(model, table):
    """The positions of a model on the paths of a table, [paths, dates, instruments]."""
    policy = Policy(model)
    paths, dates = table["path"].shape
    policy.sell(paths)
    held = [policy.hold({name: table[name][:, date] for name in policy.observed}) for date in range(dates - 1)]
    return policy.instruments, numpy.stack(held, axis=1)


def own(instruments, table):
    """The positions of the table, [paths, dates, instruments]."""
    return numpy.stack([table[f"position_{name}"][:, :-1] for name in instruments], axis=2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("positions")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    arguments = parser.parse_args()
    table = read_table(arguments.positions)
    instruments, held = hedge(arguments.model, table)
    expected = own(instruments, table)
    # Nobody asks about a contract that has ended: the table has no position.
    difference = numpy.where(numpy.isnan(expected), 0.0, numpy.abs(held - expected))
    paths, dates, _ = held.shape
    print(f"{paths} paths, {dates} dates, {', '.join(instruments)}")
    print(f"positions from {numpy.nanmin(expected):.4f} to {numpy.nanmax(expected):.4f}")
    print(f"largest difference {difference.max():.2e}, mean {difference.mean():.2e}")
    if not difference.max() <= arguments.tolerance:
        path, date, instrument = numpy.unravel_index(numpy.argmax(difference), difference.shape)
        print(f"more than {arguments.tolerance:g}: path {path}, date {date}, {instruments[instrument]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
