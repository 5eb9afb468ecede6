"""Writes synthetic_surface.csv: made-up implied-volatility surfaces of an index, one a weekday, as five factors with close and rate.

No market data: every figure is drawn here, from the seed below, with Python's own generator (Python 3.9 or later is enough).

- The close moves by a drift of 5 % a year and the day's one-month volatility at the money, .88 of it, as realised volatility lies below the implied
  one.
- Level, slope, moneyness, smile and smirk return to their means; level and slope move against the day's return, so that volatility rises
  when the index falls, and the short end more than the long.
- The rate walks between 0 and 4 %.

    python3 market_data/make_synthetic_surface.py > market_data/synthetic_surface.csv
"""
import random
from datetime import date, timedelta
from math import exp, sqrt

DAYS, SEED = 600, 20190
#            mean, share that returns a day, response to the standardised return, standard deviation of the rest, least, greatest
FACTORS = {
    "level": (0.190, 0.020, -0.0035, 0.0020, 0.09, 0.60),
    "slope": (-0.020, 0.040, -0.0060, 0.0045, -0.15, 0.50),
    "moneyness": (0.200, 0.050, -0.0015, 0.0060, 0.05, 0.40),
    "smile": (-0.030, 0.060, 0.0, 0.0030, -0.08, 0.02),
    "smirk": (0.002, 0.080, 0.0, 0.0010, -0.01, 0.01),
}


def main():
    draw = random.Random(SEED)
    day, close, rate = date(2010, 1, 4), 1000.0, 0.02
    factors = {name: of[0] for name, of in FACTORS.items()}
    print("date,close,rate," + ",".join(FACTORS))
    for _ in range(DAYS):
        print(f"{day},{close:.2f},{rate:.5f}," + ",".join(f"{value:.8f}" for value in factors.values()))
        month = factors["level"] + factors["slope"] * exp(-sqrt(21 / 252 / 0.25))
        z = draw.gauss(0.0, 1.0)
        close *= exp(0.05 / 252 + 0.88 * month / sqrt(252) * z)
        for name, (mean, share, response, rest, least, greatest) in FACTORS.items():
            # Everything moves more where volatility is high.
            size = month / 0.19
            value = factors[name] + share * (mean - factors[name]) + size * (response * z + rest * draw.gauss(0.0, 1.0))
            factors[name] = min(max(value, least), greatest)
        rate = min(max(rate + 0.0003 * draw.gauss(0.0, 1.0), 0.0), 0.04)
        day += timedelta(days=3 if day.weekday() == 4 else 1)


if __name__ == "__main__":
    main()
