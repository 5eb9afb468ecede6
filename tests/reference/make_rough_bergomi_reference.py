"""Implied volatilities of the rough Bergomi model, independent of the program: writes rough_bergomi.json.

    v_t = xi exp(eta X_t - eta^2 t^{2H}/2),  X_t = sqrt(2H) int_0^t (t - s)^{H - 1/2} dW_s,
    dS/S = sqrt(v) (rho dW + sqrt(1 - rho^2) dB)

(C. Bayer, P. Friz and J. Gatheral (2016), "Pricing under rough volatility", Quantitative Finance 16(6), section 4.)

X and W are drawn jointly on 1024 dates by the Cholesky factor of their exact covariance; the life of an option is
scaled to 1 by self-similarity. Given W, ln S_T is normal with mean rho M - rho^2 I/2 - (1 - rho^2) I/2 and variance (1 - rho^2) I,
M = int sqrt(v) dW and I = int v dt, so that options are averages of Black's formula (R. McCrickerd and M. Pakkanen
(2018), "Turbocharging Monte Carlo pricing for the rough Bergomi model", Quantitative Finance 18(11)). M and I are sums over the left ends of steps; their
error, of the order n^{-(3H + 1/2)} (P. Gassiat (2023), "Weak error rates of numerical schemes for rough volatility", SIAM Journal on Financial
Mathematics 14(2)), is removed by Richardson's extrapolation between the grids of 512 and 1024 dates, and the same between 256 and 512
dates is written beside it. Needs numpy and scipy.
"""

import json

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import hyp2f1, ndtr

H, ETA, RHO, XI = 0.07, 1.9, -0.9, 0.235**2
DATES, PATHS, BATCHES = 1024, 8192, 32
LIVES = {"1 week": 7 / 365, "1 year": 1.0}
STRIKES = {"1 week": [-0.08, -0.04, 0.0, 0.04], "1 year": [-0.4, -0.2, 0.0, 0.2]}


def covariance(times):
    """Of (X, W) at unit-life times: E[X_t X_u] = 2H t^{H+1/2} u^{H-1/2}/(H+1/2) 2F1(1/2-H, 1; H+3/2; t/u) for t <= u,
    E[X_t W_u] = sqrt(2H)/(H+1/2) (t^{H+1/2} - (t - min(t, u))^{H+1/2}), E[W_t W_u] = min(t, u)."""
    t, u = np.minimum.outer(times, times), np.maximum.outer(times, times)
    a = H + 0.5
    xx = 2 * H * t**a * u ** (H - 0.5) / a * hyp2f1(0.5 - H, 1.0, H + 1.5, t / u)
    np.fill_diagonal(xx, times ** (2 * H))
    own, other = times[:, None], times[None, :]
    xw = np.sqrt(2 * H) / a * (own**a - (own - np.minimum(own, other)) ** a)
    return np.block([[xx, xw], [xw.T, t]])


def check():
    """The closed form of E[X_t X_u] against quadrature."""
    t, u = 0.3, 0.8
    exact = 2 * H * quad(lambda s: (u - t + s) ** (H - 0.5), 0, t, weight="alg", wvar=(H - 0.5, 0))[0]
    assert abs(covariance(np.array([t, u]))[0, 1] - exact) < 1e-9


def black(moneyness, deviation):
    """Calls over the forward at ln(K/F)."""
    d = -moneyness / deviation + deviation / 2
    return ndtr(d) - np.exp(moneyness) * ndtr(d - deviation)


def prices(x, w, life, steps):
    """Calls over the forward on a grid of so many steps."""
    every = DATES // steps
    x = np.vstack([np.zeros(x.shape[1]), x[every - 1 :: every]])[:-1]
    w = np.diff(np.vstack([np.zeros(w.shape[1]), w[every - 1 :: every]]), axis=0)
    t = np.arange(steps)[:, None] / steps
    v = XI * np.exp(ETA * life**H * x - 0.5 * ETA**2 * (life * t) ** (2 * H))
    m = (np.sqrt(v) * w).sum(0) * np.sqrt(life)
    i = v.mean(0) * life
    parallel = np.exp(RHO * m - 0.5 * RHO**2 * i)
    rest = np.sqrt((1 - RHO**2) * i)
    # Weights under which the means of these are what they must be: control variates, for every payoff at once.
    known = np.stack([parallel - 1, m, i - XI * life, m * m - i])
    centred = known - known.mean(1, keepdims=True)
    shift = np.linalg.solve(centred @ centred.T, known.mean(1))
    weights = 1 / known.shape[1] - shift @ centred
    return [weights @ (parallel * black(k - np.log(parallel), rest)) for k in prices.strikes]


def implied(price, moneyness, life):
    return brentq(lambda s: black(moneyness, s * np.sqrt(life)) - price, 1e-4, 5.0, xtol=1e-12)


def main():
    check()
    times = np.arange(1, DATES + 1) / DATES
    factor = np.linalg.cholesky(covariance(times) + 1e-15 * np.eye(2 * DATES))
    random = np.random.default_rng(1)
    grids = [256, 512, 1024]
    found = {life: [] for life in LIVES}
    for _ in range(BATCHES):
        normal = random.standard_normal((2 * DATES, PATHS // 2))
        joint = factor @ np.hstack([normal, -normal])
        x, w = joint[:DATES], joint[DATES:]
        for life, years in LIVES.items():
            prices.strikes = STRIKES[life]
            by_grid = [prices(x, w, years, n) for n in grids]
            found[life].append(
                [[implied(p, k, years) for p, k in zip(row, STRIKES[life])] for row in by_grid]
            )
    rows = []
    gain = 2 ** (3 * H + 0.5)
    for life, years in LIVES.items():
        values = np.array(found[life])
        fine = values[:, 2] + (values[:, 2] - values[:, 1]) / (gain - 1)
        coarse = values[:, 1] + (values[:, 1] - values[:, 0]) / (gain - 1)
        for j, k in enumerate(STRIKES[life]):
            rows.append(
                {
                    "expiry": years,
                    "log_moneyness": k,
                    "implied_volatility": fine[:, j].mean(),
                    "standard_error": fine[:, j].std(ddof=1) / np.sqrt(BATCHES),
                    "from_coarser_grids": coarse[:, j].mean(),
                    "by_grid": {str(n): values[:, g, j].mean() for g, n in enumerate(grids)},
                }
            )
    document = {
        "parameters": {"xi": XI, "eta": ETA, "hurst": H, "rho": RHO},
        "paths": PATHS * BATCHES,
        "log_moneyness": "ln(strike/forward)",
        "rows": rows,
    }
    with open("rough_bergomi.json", "w") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
