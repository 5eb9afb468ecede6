"""Training on paths and payoffs that are given as arrays."""

import json

import deephedge
import numpy
import polars
import pytest
from conftest import command

PATHS, DATES = 800, 6
SMALL = {
    "costs": {"proportional": 0.0},
    "policy": {"hidden": 4},
    "training": {"steps": 3, "paths": 128},
    "evaluation": {"hedges": ["naked"]},
    "optimizers": {"kfac": {}},
}


def arrays(paths=PATHS):
    """Spots of independent returns to single precision, and a payoff that no strategy can say: the number of the date of the highest spot."""
    generator = numpy.random.default_rng(3)
    returns = 0.01 * generator.standard_t(5, (paths, DATES - 1))
    spot = 100 * numpy.exp(numpy.cumsum(numpy.c_[numpy.zeros(paths), returns], axis=1))
    spot = spot.astype("float32").astype("float64")
    return spot, spot.argmax(axis=1).astype("float64")


def books(run):
    """The P&L on the test paths by strategy."""
    table = polars.DataFrame(run.table("evaluation"))
    return {name[0]: rows["pnl"].to_numpy() for name, rows in table.group_by("strategy", maintain_order=True)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return deephedge.train_on_paths(*arrays(), strategy=SMALL, runs=tmp_path_factory.mktemp("given"))


def test_policies_are_tested_on_the_last_paths(trained):
    """Without costs the P&L of a test path is the premium, the mean of what is paid on the training paths, less the payoff, and what the positions that
    `Policy.hedge` gives on the same array earn."""
    spot, payoff = arrays()
    premium = payoff[: PATHS * 7 // 10].mean()
    tested = slice(PATHS - PATHS // 5, None)
    pnl = books(trained)
    numpy.testing.assert_allclose(pnl["naked"], premium - payoff[tested], atol=1e-12)
    positions = deephedge.Policy.load(trained).hedge(spot[tested])
    gain = (positions * numpy.diff(spot[tested], axis=1)).sum(axis=1)
    numpy.testing.assert_allclose(pnl["kfac"], premium - payoff[tested] + gain, atol=1e-9)
    assert trained.metrics["evaluation"][0]["paths"] == PATHS // 5
    assert trained.is_complete and "results" in trained.tables
    assert "given paths" in trained._repr_html_()


def test_every_form_of_an_array_is_the_same(trained, tmp_path):
    """Single precision, Fortran's order, lists, a callable, and whatever has NumPy's protocol train to the same bits."""
    spot, payoff = arrays()

    class Tensor:
        def __init__(self, of):
            self.of = of

        def __array__(self, dtype=None, copy=None):
            return self.of

    forms = [
        (spot.astype("float32"), payoff.astype("int64")),
        (numpy.asfortranarray(spot), lambda seen: seen.argmax(axis=1)),
        (Tensor(spot), Tensor(payoff)),
        (spot.tolist(), payoff.tolist()),
    ]
    expected = books(trained)
    for one, paid in forms:
        run = deephedge.train_on_paths(one, paid, strategy=SMALL, runs=tmp_path)
        for name, pnl in books(run).items():
            assert (pnl == expected[name]).all(), name
    assert len(list((tmp_path / "paths").iterdir())) == 1


def test_a_call_is_its_payoff(tmp_path):
    """An array of what a call pays trains to the bits of the contract, which has a delta to be hedged by too."""
    spot, _ = arrays()
    paid = deephedge.train_on_paths(spot, lambda spot: numpy.maximum(spot[:, -1] - 100, 0), strategy=SMALL, runs=tmp_path)
    hedges = {"evaluation": {"hedges": ["naked", "black_scholes"]}, "contract": {"type": "call"}}
    named = deephedge.train_on_paths(spot, strategy=SMALL | hedges, variance=0.03, runs=tmp_path)
    assert (books(paid)["naked"] == books(named)["naked"]).all()
    alone = deephedge.train_on_paths(spot, strategy=SMALL | {"contract": {"type": "call"}}, runs=tmp_path)
    assert (books(paid)["kfac"] == books(alone)["kfac"]).all()
    deviations = {name: pnl.std() for name, pnl in books(named).items()}
    assert deviations["black_scholes"] < 0.7 * deviations["naked"]


def test_a_run_that_was_stopped_goes_on(trained, tmp_path):
    """What a callable raises stops the training; `resume` comes to the bits of a run that was not stopped."""
    spot, payoff = arrays()

    def stop(event):
        if event["step"] == 2:
            raise InterruptedError("enough")

    with pytest.raises(InterruptedError):
        deephedge.train_on_paths(spot, payoff, strategy=SMALL, runs=tmp_path, progress=stop)
    (stopped,) = [path for path in tmp_path.iterdir() if (path / "strategy.toml").exists()]
    run = deephedge.resume(stopped, runs=tmp_path)
    assert (books(run)["kfac"] == books(trained)["kfac"]).all()


def test_paths_that_are_gone_are_missed(tmp_path):
    """A run whose file of paths is gone says so in one line, on the command line too; what it has found stays."""
    run = deephedge.train_on_paths(*arrays(), strategy=SMALL, runs=tmp_path)
    priced = deephedge.price(run)
    assert priced["model_price_method"] == "given_paths" and priced["greeks"] is None
    assert priced["simulated"]["paths"] == PATHS // 5
    (file,) = (tmp_path / "paths").iterdir()
    file.unlink()
    with pytest.raises(deephedge.InputError, match=file.name):
        deephedge.Policy.load(run)
    said = command("price", run.path)
    assert said.returncode == 2 and file.name in said.stderr and len(said.stderr.splitlines()) == 1
    assert books(run)["naked"].size == PATHS // 5
    report = command("--json", "report", run.path)
    assert report.returncode == 0, report.stderr
    assert json.loads(report.stdout)


def test_what_is_wrong_is_refused(tmp_path):
    """One line, with the argument, the value and the bound, before anything is written."""
    spot, payoff = arrays()
    hole = spot.copy()
    hole[3, 2] = numpy.nan
    cases = [
        ((spot[0], payoff), {}, r"`spot` must have the shape \[paths, dates\], has \[6\]"),
        ((spot, payoff[1:]), {}, r"`payoff` must have the shape \[800\], has \[799\]"),
        ((spot, payoff[:, None]), {}, r"`payoff` must have the shape \[800\], has \[800, 1\]"),
        ((hole, payoff), {}, r"`spot`\[3, 2\] must be finite and from .* was NaN"),
        ((spot, numpy.full(PATHS, numpy.inf)), {}, r"`payoff`\[\d+\] must be finite"),
        ((spot * numpy.arange(1, PATHS + 1)[:, None], payoff), {}, r"`spot`\[1, 0\] must be the spot at which all paths begin"),
        ((spot[:100], payoff[:100]), {}, "100 paths leave 70 for training, 10 for validation and 20 for tests"),
        ((spot, payoff), {"variance": payoff}, r"`variance` must have the shape \[800, 6\], has \[800\]"),
        ((spot, payoff), {"variance": -0.1}, r"`variance`\[0, 0\] must be finite and above 0, was -0.1"),
        ((spot, payoff), {"test_share": 1.5}, "`test_share` must be above 0 and below 1, was 1.5"),
        ((spot, payoff), {"days": 0}, "`days` must be positive, was 0"),
        ((spot > 100, payoff), {}, "`spot` must be an array of numbers, was of bool"),
        (([[1, 2], [3]], payoff), {}, "`spot` must be an array of numbers: "),
        ((spot, ["a"] * PATHS), {}, "`payoff` must be an array of numbers, was of <U1"),
        ((spot, lambda seen: "nothing"), {}, "`payoff` must be an array of numbers"),
        ((spot,), {}, "`payoff` is missing"),
        ((spot, payoff), {"strategy": "strategy.toml"}, "`strategy` must be a dict, was <class 'str'>"),
        ((spot, payoff), {"strategy": {"contract": {"type": "call"}}}, "`contract.type` has no meaning beside `payoff`"),
        ((spot, payoff), {"strategy": {"market": {"model": "gbm"}}}, "`market.model` has no meaning beside paths"),
        ((spot, payoff), {"strategy": {"evaluation": {"paths": 161}}}, "`evaluation.paths` must be at most 160, the paths of 800"),
        ((spot, payoff), {"strategy": {"evaluation": {"hedges": ["black_scholes"]}}}, "needs a delta in closed form"),
        ((spot, payoff), {"seeds": 0}, "`seeds` must be at least 1"),
    ]
    for arguments, named, expected in cases:
        with pytest.raises(deephedge.InputError, match=expected) as raised:
            deephedge.train_on_paths(*arguments, **{"runs": tmp_path} | named)
        assert "\n" not in str(raised.value)
    with pytest.raises(ZeroDivisionError):
        deephedge.train_on_paths(spot, lambda seen: 1 // 0, runs=tmp_path)
    assert not [path for path in tmp_path.iterdir() if (path / "strategy.toml").exists()]
