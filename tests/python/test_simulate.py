"""Simulated paths as arrays."""

import deephedge
import numpy
import polars
import pytest
from conftest import DATES, GBM, HESTON, command, strategy

OPTION = {"type": "call", "strike": {"moneyness": 1.0}, "expiry_days": 2 * DATES}
TWO_ASSETS = {
    "market": {"correlation": [[1.0, 0.5], [0.5, 1.0]], "assets": {"dax": HESTON, "spx": GBM}},
    "contract": {"type": "worst_of_call", "strike": 100, "expiry_days": DATES, "days_per_year": 252},
}


@pytest.mark.parametrize(
    "sections",
    [{}, {"policy": {"instruments": ["spot", OPTION]}}, TWO_ASSETS],
    ids=["one asset", "an option", "two assets"],
)
def test_paths_are_those_of_the_command_line(sections, root, tmp_path):
    """The same strategy and seed give the same bits, whether they are written to a file or to arrays."""
    of = strategy(**sections)
    # More than a run of blocks, and no whole number of blocks.
    count = 1001
    arrays = deephedge.simulate(of, paths=count)
    # The command line reads files: that of a run has every default.
    file = tmp_path / "strategy.toml"
    file.write_text(deephedge.train(of, runs=root, steps=1).strategy)
    out = tmp_path / "paths.parquet"
    assert command("simulate", file, "--paths", count, "--out", out).returncode == 0
    table = polars.read_parquet(out)
    assert table.columns == ["path", "step", *arrays]
    assert arrays["time"].shape == (DATES + 1,)
    assert (table["time"].to_numpy().reshape(count, -1) == arrays["time"]).all()
    for name in arrays.keys() - {"time"}:
        assert arrays[name].shape == (count, DATES + 1), name
        assert (table[name].to_numpy().reshape(count, -1) == arrays[name]).all(), name


def test_a_seed_gives_the_same_paths(small):
    """Paths depend on the seed and on their number alone."""
    once, again = deephedge.simulate(small, paths=100), deephedge.simulate(small, paths=300)
    assert (once["spot"] == again["spot"][:100]).all()
    assert (deephedge.simulate(small | {"seed": 8}, paths=100)["spot"] != once["spot"])[:, 1:].all()


def test_the_mean_of_the_spot_is_its_forward(small):
    """Without a rate E[S_T] = S₀, within four standard errors of 200,000 paths."""
    end = deephedge.simulate(small, paths=200_000)["spot"][:, -1]
    assert abs(end.mean() - 100) < 4 * end.std() / numpy.sqrt(len(end))


def test_there_must_be_a_path(small):
    for wrong in [0, -1]:
        with pytest.raises(deephedge.InputError, match=f"`paths` must be at least 1, was {wrong}"):
            deephedge.simulate(small, paths=wrong)
    with pytest.raises(deephedge.InputError, match="GB of memory.*fewer `paths` need less"):
        deephedge.simulate(small, paths=10**12)
