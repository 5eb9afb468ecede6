"""What the tests of the Python package share: small strategies, and the runs that are made of them once."""

import copy
import subprocess
import sys

import deephedge
import pytest

DATES = 8
HESTON = {"model": "heston", "v0": 0.04, "kappa": 1.5, "theta": 0.04, "sigma": 0.3, "rho": -0.7}
GBM = {"model": "gbm", "volatility": 0.2}
STRATEGY = {
    "name": "small",
    "seed": 7,
    "market": HESTON,
    "contract": {"expiry_days": DATES, "days_per_year": 252},
    "costs": {"proportional": 0.005},
    "policy": {"hidden": 8},
    "training": {"steps": 4, "paths": 256},
    "evaluation": {"paths": 500, "hedges": ["black_scholes"]},
    "optimizers": {"adam": {}, "kfac": {}},
}


def strategy(**sections):
    """The small strategy, with whole sections replaced."""
    return copy.deepcopy(STRATEGY) | sections


@pytest.fixture
def small():
    """The small strategy, for a test to change."""
    return strategy()


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """The folder of the runs."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def run(root):
    """A comparison of two optimizers with two seeds."""
    return deephedge.compare(strategy(), seeds=2, runs=root)


def command(*arguments, **options):
    """What the command line does with these arguments."""
    whole = [sys.executable, "-m", "deephedge", *map(str, arguments)]
    return subprocess.run(whole, capture_output=True, text=True, check=False, **options)
