"""Policies on given paths and date by date."""

import deephedge
import numpy
import polars
import pytest
from conftest import DATES, GBM, HESTON, command, strategy
from test_simulate import OPTION, TWO_ASSETS

BARRIER = {"type": "down_and_out_call", "strike": 100, "barrier": 98, "expiry_days": DATES, "days_per_year": 252}
FACTORS = ["smile_moneyness", "log_time_left", *(f"surface_{name}" for name in ("level", "slope", "moneyness", "smile", "smirk"))]
HELD = ["log_moneyness", "volatility", "time_left", "previous_position"]
CASES = {
    "lstm": {},
    "what is held": {"policy": {"hidden": 8, "features": HELD}},
    "gru, an option": {"policy": {"network": "gru", "hidden": 8, "instruments": ["spot", OPTION]}},
    "band": {"policy": {"hidden": 8, "action": "band", "band_width": 0.05}},
    "barrier": {"contract": BARRIER},
    "two assets": TWO_ASSETS,
    "surface": {
        "market": {"model": "surface_bootstrap", "surface": "market_data/synthetic_surface.csv"},
        "policy": {"network": "linear", "action": "residual", "benchmark": "smile_delta", "features": FACTORS},
    },
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def hedged(request, root, tmp_path_factory):
    """A policy, and what the command line writes of its test paths."""
    run = deephedge.train(strategy(**CASES[request.param]), runs=root)
    folder = tmp_path_factory.mktemp("onnx")
    model, table = folder / "policy.onnx", folder / "positions.parquet"
    done = command("runs", "onnx", run.path, "--out", model, "--positions", table, "--paths", 100)
    assert done.returncode == 0, done.stderr
    policy = deephedge.Policy.load(run)
    assert policy.to_onnx() == model.read_bytes()
    return policy, polars.read_parquet(table)


def column(table, name):
    """A column of the table as an array of paths and dates."""
    return table[name].to_numpy().reshape(100, DATES + 1)


def market(policy, table, dates=slice(None)):
    """What the table shows of the market, as arguments of `hedge`; a variance that it does not show is 0.04."""
    first, *others = policy.assets

    def shown_of(what):
        found = {name: what if name == first else f"{what}_{name}" for name in (first, *others)}
        found = {name: column(table, of)[:, dates] if of in table.columns else 0.04 for name, of in found.items()}
        return found if others else found[first]

    shown = [shown_of("spot"), shown_of("variance")]
    factors = [name for name in table.columns if name.startswith("surface_")]
    surface = numpy.stack([column(table, name)[:, dates] for name in factors], axis=-1) if factors else None
    return shown, {"surface": surface}


def held(policy, table):
    """The positions of the table, nothing where the contract has ended."""
    columns = [column(table, f"position_{name}")[:, :-1] for name in policy.instruments]
    return numpy.nan_to_num(numpy.stack(columns, axis=-1))


def test_positions_are_those_of_the_run(hedged):
    """On a run's test paths `hedge` holds what the program writes, to the last bit."""
    policy, table = hedged
    shown, surface = market(policy, table)
    positions = policy.hedge(*shown, **surface)
    expected = held(policy, table)
    several = expected.shape[2] > 1
    assert policy.dates == DATES and positions.shape == expected.shape[: 3 if several else 2]
    assert (positions.reshape(expected.shape) == expected).all()
    assert numpy.ptp(expected[:, 1:]) > 0.001
    # The expiry is no hedging date.
    shown, surface = market(policy, table, slice(0, DATES))
    assert (policy.hedge(*shown, **surface) == positions).all()


def test_a_session_has_the_bits_of_the_sweep(hedged):
    """Date by date the positions are those on whole paths, and trades are their changes."""
    policy, table = hedged
    shown, surface = market(policy, table)
    positions = policy.hedge(*shown, **surface)
    session = policy.session(100)
    before = 0.0
    for date in range(DATES):
        assert session.next == date
        shown, surface = market(policy, table, date)
        now = session.see(*shown, **surface)
        assert (now == positions[:, date]).all(), date
        assert (session.trades == now - before).all() and (session.positions == now).all()
        before = now
    with pytest.raises(deephedge.InputError, match="past"):
        session.see(*shown, **surface)


@pytest.fixture(scope="module")
def policy(run):
    return deephedge.Policy.load(run, "adam", seed=8)


def test_the_policy_that_is_named(run, policy):
    """A policy goes by its optimizer and seed; unless given, by K-FAC and the first seed."""
    assert (policy.optimizer, policy.seed, policy.run.id) == ("adam", 8, run.id)
    usual = deephedge.Policy.load(run)
    assert (usual.optimizer, usual.seed) == ("kfac", 7)
    assert policy.instruments == ["spot"] and policy.period == 1 / 252
    spot = deephedge.simulate(strategy(), paths=50)
    shown = (spot["spot"], spot["variance"])
    assert (policy.hedge(*shown) != usual.hedge(*shown)).any()
    with pytest.raises(deephedge.InputError, match="`optimizer`: must be one of adam, kfac, was \"sgd\""):
        deephedge.Policy.load(run, "sgd")
    with pytest.raises(deephedge.InputError, match="`seed`: must be one of 7, 8, was 9"):
        deephedge.Policy.load(run, "adam", seed=9)
    with pytest.raises(deephedge.InputError, match="`seed` must be at least 0, was -1"):
        deephedge.Policy.load(run, "adam", seed=-1)


def test_arrays_of_any_kind(policy):
    """Lists, whole numbers, single precision and arrays in another order are the numbers that they hold; one variance is that of all."""
    spot = numpy.array([[100, 101, 99, 100, 102, 101, 103, 104, 105], [100, 98, 97, 99, 96, 95, 96, 97, 95]])
    expected = policy.hedge(spot.astype(float), numpy.full(spot.shape, 0.0625))
    for given in [spot, spot.tolist(), spot.astype("float32"), numpy.asfortranarray(spot), numpy.repeat(spot, 2, axis=1)[:, ::2]]:
        assert (policy.hedge(given, 0.0625) == expected).all()
    session = policy.session()
    for date in range(DATES):
        assert session.see(spot[0, date], 0.0625) == expected[0, date]


def test_what_is_no_path_is_refused(policy):
    """Every refusal names what is at fault, where it is and what it must be; a session has not moved."""
    right = numpy.full((3, DATES + 1), 100.0)

    def with_one(value):
        wrong = right.copy()
        wrong[1, 2] = value
        return wrong

    refused = {
        "`spot` must be finite and above 0, was NaN on path 1, date 2": (with_one(numpy.nan), 0.04),
        "`spot` must be finite and above 0, was inf on path 1, date 2": (with_one(numpy.inf), 0.04),
        "`spot` must be finite and above 0, was -3 on path 1, date 2": (with_one(-3), 0.04),
        "`spot` must be finite and above 0, was 0 on path 1, date 2": (with_one(0), 0.04),
        "`variance` must be finite and at least 0, was -1 on path 1, date 2": (right, with_one(-1)),
        "`variance` must be finite and at least 0, was NaN on path 1, date 2": (right, with_one(numpy.nan)),
        "`variance` is missing: the variance of the model \"heston\" moves": (right, None),
        "`variance` must have the shape \\[3, 9\\], has \\[3, 8\\]": (right, right[:, 1:]),
        "`variance` must have the shape \\[3, 9\\], has \\[9\\]": (right, right[0]),
        "`spot` must have 9 dates, the sale and the expiry among them, or 8 without the expiry, has 7": (right[:, 2:], 0.04),
        "`spot` must have the two dimensions of paths and dates, has the shape \\[9\\]": (right[0], 0.04),
        "`spot` must have a path or more": (right[:0], 0.04),
        "`spot` must be an array of numbers, was of <U1": ([["a"] * 9], 0.04),
        "`spot` must be an array of numbers, was of complex128": (right + 1j, 0.04),
        "`spot`: the assets are .*, was \"dax\"": ({"dax": right}, 0.04),
    }
    for words, (spot, variance) in refused.items():
        with pytest.raises(deephedge.InputError, match=words):
            policy.hedge(spot, variance)
    with pytest.raises(deephedge.InputError, match="`surface` has no meaning"):
        policy.hedge(right, 0.04, surface=numpy.zeros((3, DATES + 1, 5)))
    session = policy.session(3)
    for spot, words in [
        (right[0, :2], "`spot` must have the shape \\[3\\]"),
        (100.0, "`spot` must have the shape \\[3\\]"),
        ([100.0, -1.0, 100.0], "`spot` must be finite and above 0, was -1 on path 1"),
    ]:
        with pytest.raises(deephedge.InputError, match=words):
            session.see(spot, 0.04)
    assert session.next == 0 and not session.positions.any()
    with pytest.raises(deephedge.InputError, match="`paths` must be at least 1, was 0"):
        policy.session(0)


def test_a_variance_that_never_changes_may_be_left_out(root):
    """Under geometric Brownian motion it is that of the model."""
    policy = deephedge.Policy.load(deephedge.train(strategy(market=GBM), runs=root))
    spot = deephedge.simulate(strategy(market=GBM), paths=64)["spot"]
    assert (policy.hedge(spot) == policy.hedge(spot, 0.2**2)).all()


def test_what_it_was_not_trained_for_is_said(policy):
    """Simulated paths of the strategy pass in silence; the same at another level are warned of, with what lies outside and by how much."""
    paths = deephedge.simulate(strategy(), paths=500)
    with pytest.warns(deephedge.ResultWarning, match="100.000 % of dates have a spot over the strike outside of training's 0.8.*, from 4"):
        policy.hedge(50 * paths["spot"], paths["variance"])
    with pytest.warns(deephedge.ResultWarning, match="a volatility"):
        policy.hedge(paths["spot"], 100 * paths["variance"])


def test_usual_paths_are_not_warned_of(policy, recwarn):
    paths = deephedge.simulate(strategy(), paths=500)
    policy.hedge(paths["spot"], paths["variance"])
    assert not recwarn


def test_runs_without_one_policy_are_refused(root):
    """Contracts whose terms lie in ranges do not say which one a path has."""
    ranges = strategy(contract={"strike": {"moneyness": [0.9, 1.1]}, "expiry_days": DATES, "days_per_year": 252})
    run = deephedge.train(ranges, runs=root)
    with pytest.raises(deephedge.InputError, match="terms in ranges"):
        deephedge.Policy.load(run)
