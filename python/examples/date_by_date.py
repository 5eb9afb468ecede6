"""Contracts hedged as the dates come: what a desk's own loop would look like.

Three calls were sold today. Every day brings a spot and a variance; the session says what to hold and what to trade. At the end the
positions are those of the same paths at once.

    python python/examples/date_by_date.py
"""

import deephedge
import numpy

STRATEGY = {
    "name": "date by date",
    "market": {"model": "heston", "v0": 0.04, "kappa": 1.5, "theta": 0.04, "sigma": 0.3, "rho": -0.7},
    "contract": {"type": "call", "strike": 100, "expiry_days": 10, "days_per_year": 252},
    "costs": {"proportional": 0.005},
    "training": {"steps": 60, "paths": 1024},
    "evaluation": {"paths": 2000, "hedges": ["black_scholes"]},
    "optimizers": {"kfac": {}},
}


def main():
    policy = deephedge.Policy.load(deephedge.train(STRATEGY))
    # Instead of a feed: three paths of the strategy's own market.
    market = deephedge.simulate(STRATEGY, paths=3)
    session = policy.session(3)
    held = []
    for date in range(policy.dates):
        spot, variance = market["spot"][:, date], market["variance"][:, date]
        held.append(session.see(spot, variance))
        lines = [f"{s:7.2f}: hold {h:.3f}, buy {t:+.3f}" for s, h, t in zip(spot, held[-1], session.trades, strict=True)]
        print(f"day {date}  " + "   ".join(lines))
    whole = policy.hedge(market["spot"], market["variance"])
    assert (numpy.stack(held, axis=1) == whole).all()


if __name__ == "__main__":
    main()
