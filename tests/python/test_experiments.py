"""Comparisons, trainings and backtests: what comes out, and what it is told on the way."""

import json

import deephedge
import polars
import pytest
from conftest import command, strategy


def test_a_dict_is_a_strategy_file(small, root, tmp_path):
    """The same keys as a file and as a dict train to the same bits."""
    file = tmp_path / "strategy.toml"
    lines = ['name = "small"', "seed = 7"]
    for name, section in small.items():
        if not isinstance(section, dict) or name == "optimizers":
            continue
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in section.items()]
    file.write_text("\n".join([*lines, "[optimizers.adam]", "[optimizers.kfac]"]))
    of_file, of_dict = (deephedge.train(of, runs=root) for of in (file, small))
    pnl = [polars.DataFrame(one.table("evaluation"))["pnl"] for one in (of_file, of_dict)]
    assert pnl[0].equals(pnl[1])
    assert of_file.strategy == of_dict.strategy
    assert of_file.metrics["evaluation"][0]["strategy"] == "kfac"


def test_arguments_are_those_of_the_command_line(small, run, root):
    """Seeds count from the strategy's, `optimizers` chooses, `steps` shortens; what is left out is the strategy's."""
    trained = {(row["strategy"], row["seed"], row["steps"]) for row in run.metrics["evaluation"] if "seed" in row}
    assert trained == {(name, seed, 4) for name in ("adam", "kfac") for seed in (7, 8)}
    short = deephedge.compare(small, optimizers=["adam"], steps=2, runs=root)
    assert [(row["strategy"], row["steps"]) for row in short.metrics["evaluation"][:1]] == [("adam", 2)]
    assert deephedge.train(small, optimizer="adam", runs=root).metrics["evaluation"][0]["strategy"] == "adam"


def test_progress_is_told(small, root):
    """Every step of a training is told, from the first to the last."""
    told = []
    deephedge.train(small, steps=5, runs=root, progress=told.append)
    assert [event["step"] for event in told] == [1, 2, 3, 4, 5]
    assert {(event["what"], event["seed"]) for event in told} == {("kfac", 7)}
    assert told[-1]["done"] == 1 and told[0]["done"] < 1


def test_the_display_says_how_far_it_is(small, root, capfd):
    deephedge.train(small, runs=root, progress=True)
    said = capfd.readouterr().err
    assert "kfac, seed 7: 100%, step 4" in said and said.endswith("\n")


def test_a_backtest_of_a_run_and_of_a_strategy(small, run, root):
    """Policies of a run are in its backtest, those of a strategy are not; data and dates are arguments as on the command line."""
    prices = {"data": "market_data/sp500_daily.csv", "start": "2015-01-02", "end": "2016-12-30", "runs": root}
    of_run = deephedge.backtest(run, **prices)
    names = {row["strategy"] for row in of_run.metrics["backtest"]}
    assert names == {"adam", "kfac", "black_scholes"}
    alone = deephedge.backtest(small, **prices)
    assert {row["strategy"] for row in alone.metrics["backtest"]} == {"black_scholes"}
    dates = alone.table("backtest")["date"]
    assert str(min(dates)) >= "2015-01-02" and str(max(dates)) <= "2016-12-30"


def test_a_price(small, run, root):
    """The model's price is the one of the command line, and lies within its standard errors of the simulated one."""
    priced = deephedge.price(run)
    said = command("--json", "price", run.path)
    assert json.loads(said.stdout) == priced
    simulated = priced["simulated"]
    assert abs(priced["model_price"] - simulated["value"]) < 4 * simulated["standard_error"]
    assert {row["strategy"] for row in priced["indifference"]} >= {"adam", "kfac", "black_scholes"}
    assert deephedge.price(small)["model_price"] == priced["model_price"]


def test_a_calibration():
    """Parameters are those of the command line, from closes and from implied volatilities."""
    prices = "market_data/sp500_daily.csv"
    found = deephedge.calibrate("gbm", history=prices, days_per_year=252)
    said = json.loads(command("--json", "calibrate", "gbm", "--history", prices, "--days-per-year", 252).stdout)
    assert found["parameters"] == said["parameters"] and 0.1 < found["parameters"]["volatility"] < 0.3
    with pytest.raises(deephedge.InputError, match="`model`: must be one of gbm, heston"):
        deephedge.calibrate("black", history=prices)
    with pytest.raises(deephedge.InputError, match="one of the two"):
        deephedge.calibrate("gbm")
    with pytest.raises(deephedge.InputError, match="only \"heston\" and \"local_volatility\""):
        deephedge.calibrate("gbm", surface="market_data/dax_2002-07-05_implied_vols.csv")

