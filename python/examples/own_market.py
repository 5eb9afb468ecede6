"""A policy trained in one market, on paths of another that NumPy makes.

The market of training is Heston's. The paths here have two regimes of volatility, between which a coin decides every day. What the policy
holds is compared with the Black-Scholes delta at the volatility of the day, at the same costs.

    python python/examples/own_market.py
"""

import math

import deephedge
import numpy

COSTS = 0.01
STRATEGY = {
    "name": "own market",
    "market": {"model": "heston", "v0": 0.04, "kappa": 5.0, "theta": 0.04, "sigma": 0.6, "rho": -0.5},
    "contract": {"type": "call", "strike": 100, "expiry_days": 20, "days_per_year": 252},
    "costs": {"proportional": COSTS},
    "training": {"steps": 100, "paths": 1024},
    "evaluation": {"paths": 2000, "hedges": ["black_scholes"]},
    "optimizers": {"kfac": {}},
}


def two_regimes(count, dates, period, seed=1):
    """Spots and variances, each of shape [count, dates + 1]."""
    generator = numpy.random.default_rng(seed)
    calm = numpy.empty((count, dates + 1), bool)
    calm[:, 0] = generator.random(count) < 0.7
    for date in range(dates):
        stays = generator.random(count) < 0.95
        calm[:, date + 1] = numpy.where(stays, calm[:, date], ~calm[:, date])
    variance = numpy.where(calm, 0.15**2, 0.28**2)
    shocks = generator.standard_normal((count, dates))
    moves = numpy.sqrt(variance[:, :-1] * period) * shocks - 0.5 * variance[:, :-1] * period
    logarithm = numpy.concatenate([numpy.zeros((count, 1)), moves.cumsum(axis=1)], axis=1)
    return 100 * numpy.exp(logarithm), variance


def delta(spot, variance, period):
    """The Black-Scholes delta of the call on every hedging date."""
    dates = spot.shape[1] - 1
    left = period * numpy.arange(dates, 0, -1)
    deviation = numpy.sqrt(variance[:, :-1] * left)
    argument = numpy.log(spot[:, :-1] / 100) / deviation + deviation / 2
    return 0.5 * (1 + numpy.vectorize(math.erf)(argument / math.sqrt(2)))


def pnl(spot, positions):
    """The seller's P&L without a premium: what the hedge gains, less costs, less what the call pays."""
    nothing = numpy.zeros((len(spot), 1))
    trades = numpy.diff(numpy.concatenate([nothing, positions, nothing], axis=1), axis=1)
    gain = (positions * numpy.diff(spot, axis=1)).sum(axis=1)
    return gain - COSTS * (spot * abs(trades)).sum(axis=1) - numpy.maximum(spot[:, -1] - 100, 0)


def main():
    policy = deephedge.Policy.load(deephedge.train(STRATEGY))
    spot, variance = two_regimes(20_000, policy.dates, policy.period)
    hedges = {
        "K-FAC": policy.hedge(spot, variance),
        "Black-Scholes delta": delta(spot, variance, policy.period),
        "none": numpy.zeros((len(spot), policy.dates)),
    }
    for name, positions in hedges.items():
        outcome = numpy.sort(pnl(spot, positions))
        tail = -outcome[: len(outcome) // 20].mean()
        print(f"{name:20} mean {outcome.mean():7.3f}  std {outcome.std():6.3f}  CVaR 95 % {tail:6.3f}")


if __name__ == "__main__":
    main()
