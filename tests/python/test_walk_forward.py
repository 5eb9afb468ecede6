"""The policies of a walk-forward, window by window, by the package and as ONNX models."""

import datetime

import deephedge
import numpy
import onnxruntime
import polars
import pytest
from compare import Policy
from conftest import command

WALKED = """
name = "windows"
seed = 3
[market]
model = "heston"
v0 = 0.04
kappa = 1.5
theta = 0.04
sigma = 0.3
rho = -0.7
[contract]
strike = { moneyness = 1.0 }
expiry_days = 10
days_per_year = 252
premium = "model"
[costs]
proportional = 0.001
[policy]
hidden = 8
[training]
steps = 3
paths = 256
[evaluation]
paths = 500
hedges = ["naked", "black_scholes"]
[optimizers.adam]
[optimizers.kfac]
[backtest]
data = "DATA"
start = "2010-01-01"
end = "2013-12-31"
spacing = "monthly"
[walk_forward]
years = 3.0
months = 24
seeds = 2
"""
LAST = datetime.date(2011, 12, 31)


@pytest.fixture(scope="module")
def walked(root, tmp_path_factory, request):
    """The run of a walk-forward of two windows."""
    file = tmp_path_factory.mktemp("strategy") / "windows.toml"
    data = request.config.rootpath / "market_data/sp500_daily.csv"
    file.write_text(WALKED.replace("DATA", data.as_posix()), encoding="utf-8")
    done = command("backtest", file, "--walk-forward", "--runs", root, "--json")
    assert done.returncode == 0, done.stderr
    return deephedge.Run(polars.read_json(done.stdout.encode())["run"][0], runs=root)


@pytest.fixture(scope="module", params=[0, 1])
def hedged(walked, request):
    """The policy of a window, and what it held against every contract that the window sold: [contracts, dates] by the columns' names."""
    policy = deephedge.Policy.load(walked, "kfac", seed=4, window=request.param)
    table = polars.read_parquet(walked.path / f"windows/{request.param:02}/positions.parquet")
    table = table.filter((polars.col("strategy") == "kfac") & (polars.col("seed") == 4))
    shape = (-1, policy.dates + 1)
    return policy, {name: table[name].to_numpy().reshape(shape) for name in ("spot", "variance", "position_spot")}, table


def test_a_window_holds_what_was_saved(hedged):
    """On what every contract saw the policy of its window holds the saved positions, to the last bit, at once and date by date."""
    policy, saved, _ = hedged
    held = saved["position_spot"][:, :-1]
    assert len(held) >= 22 and numpy.ptp(held) > 0.01
    assert (policy.hedge(saved["spot"], saved["variance"]) == held).all()
    session = policy.session(len(held))
    for date in range(policy.dates):
        assert (session.see(saved["spot"][:, date], saved["variance"][:, date]) == held[:, date]).all()


def test_so_does_its_model(hedged, tmp_path):
    """As an ONNX model it holds them to 1e-5, with what it carries itself; the file says of which window it is and what that was trained on."""
    policy, saved, _ = hedged
    file = tmp_path / "window.onnx"
    file.write_bytes(policy.to_onnx())
    about = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).get_modelmeta().custom_metadata_map
    assert about["window"] == str(policy.window)
    trained_on = polars.read_json(about["trained_on"].encode())
    assert trained_on["moneyness_at_sale"][0].to_list() == [1.0, 1.0]
    levels, volatility = trained_on["levels"][0], trained_on["volatility"][0]
    assert len(levels) == len(volatility) and volatility.is_sorted() and 0.05 < volatility[3] < 0.5
    model = Policy(str(file))
    model.sell(len(saved["spot"]))
    for date in range(policy.dates):
        left = (policy.dates - date) * policy.period
        shown = {"spot": saved["spot"][:, date], "variance": saved["variance"][:, date], "time_left": numpy.full(len(saved["spot"]), left)}
        held = model.hold(shown)[:, 0]
        assert abs(held - saved["position_spot"][:, date]).max() < 1e-5


def test_a_window_goes_by_its_number_or_a_day_of_sale(walked):
    """Before the first sale there is none, and after the last window its policies go on."""
    def of(**which):
        policy = deephedge.Policy.load(walked, "adam", **which)
        return policy.window, policy.seed

    assert of(sold=LAST) == of(window=0) == (0, 3)
    assert of(sold="2012-01-03") == of(sold="2020-01-01") == of(window=1) == (1, 3)
    assert of(window=1, seed=4) == (1, 4)
    assert "window 1 of" in repr(deephedge.Policy.load(walked, window=1))
    refused = {
        "`window`: must be from 0 to 1, a window of the walk-forward, was none": {},
        "`window`: must be from 0 to 1, a window of the walk-forward, was 2": {"window": 2},
        "`window` must be at least 0, was -1": {"window": -1},
        "`sold` 2009-12-31: the first window sells from 2010-01-04 on": {"sold": "2009-12-31"},
        "`sold` must be a date": {"sold": "tomorrow"},
        "give `window` or `sold`": {"sold": LAST, "window": 0},
    }
    for words, which in refused.items():
        with pytest.raises(deephedge.InputError, match=words):
            of(**which)


def test_other_runs_have_no_windows(run):
    with pytest.raises(deephedge.InputError, match="`window`: run `.*` is no walk-forward"):
        deephedge.Policy.load(run, window=0)
    assert deephedge.Policy.load(run).window is None
