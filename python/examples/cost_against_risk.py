"""What less risk costs: policies trained for several CVaR levels, from the tables of one run.

The figure of the run's report is written to cost_cvar.svg.

    python python/examples/cost_against_risk.py
"""

import pathlib

import deephedge

STRATEGY = {
    "name": "cost against risk",
    "market": {"model": "gbm", "volatility": 0.2},
    "contract": {"type": "call", "strike": 100, "expiry_days": 15, "days_per_year": 252},
    "costs": {"proportional": 0.01},
    "risk": {"measure": "cvar", "level": 0.95},
    "training": {"steps": 80, "paths": 1024},
    "evaluation": {"paths": 10_000, "hedges": ["black_scholes", "whalley_wilmott"]},
    "optimizers": {"kfac": {}},
}


def main():
    run = deephedge.compare(STRATEGY, frontier=[0.5, 0.8, 0.99], progress=True)
    rows = run.table("frontier").to_dict()
    print("level of training   cost   std")
    for level, cost, deviation in sorted(zip(rows["parameter"], rows["cost_mean"], rows["pnl_std"], strict=True)):
        print(f"{level:17.0%}  {cost:5.3f}  {deviation:5.3f}")
    figure = run.figure("cost_cvar")
    pathlib.Path("cost_cvar.svg").write_text(figure.svg)
    print(figure.caption)


if __name__ == "__main__":
    main()
