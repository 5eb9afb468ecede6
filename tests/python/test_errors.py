"""What is wrong is an exception whose message has the key and the bound."""

import decimal

import deephedge
import numpy
import pytest
from conftest import HESTON, strategy

WRONG = [
    ({"market": HESTON | {"rho": 2}}, "market.rho", "`market.rho` must be .*, was 2"),
    ({"market": HESTON | {"rhoo": -0.7}}, "market.rhoo", "`market.rhoo`: unknown key, did you mean `rho`"),
    ({"market": {"model": "heston"}}, None, "`market.v0` is missing"),
    ({"market": HESTON | {"v0": None}}, None, "`market.v0` must be a text, a number, .*, was None"),
    ({"market": HESTON | {"v0": decimal.Decimal("0.04")}}, None, "`market.v0` must be .*, was Decimal"),
    ({"market": HESTON | {1: 2}}, None, "market: keys must be texts, was 1"),
    ({"training": {"steps": 0}}, "training.steps", "`training.steps` must be .*, was 0"),
    ({"training": {"steps": 2**70}}, None, "`training.steps` must be below 2\\^63"),
    ({"policy": {"features": ["log_moneyness", None]}}, None, "`policy.features\\[1\\]` must be"),
    ({"optimizers": {"kfac": {"damping": -1}}}, "optimizers.kfac.damping", "`optimizers.kfac.damping` must be .*, was -1"),
    ({"colour": "red"}, "colour", "`colour`: unknown key"),
]


@pytest.mark.parametrize("sections, key, words", WRONG, ids=[words for *_, words in WRONG])
def test_a_key_is_named(sections, key, words, root):
    """One error for every way in, with the key as an attribute where the reader of settings names one."""
    for ask in [lambda of: deephedge.train(of, runs=root), deephedge.simulate, deephedge.price]:
        with pytest.raises(deephedge.InputError, match=words) as raised:
            ask(strategy(**sections))
        assert isinstance(raised.value, ValueError)
        if key is not None:
            assert raised.value.key == key
        assert "\n" not in str(raised.value)


def test_numbers_of_numpy_are_numbers(root):
    """Settings that NumPy made are those of Python."""
    made = strategy(
        market={name: numpy.float64(value) if name != "model" else value for name, value in HESTON.items()},
        training={"steps": numpy.int64(2), "paths": numpy.int32(256)},
        evaluation={"paths": numpy.uint16(500), "hedges": numpy.array(["black_scholes"])},
    )
    plain = strategy(training={"steps": 2, "paths": 256})
    assert deephedge.train(made, runs=root).strategy == deephedge.train(plain, runs=root).strategy


@pytest.mark.parametrize(
    "ask, words",
    [
        (lambda **o: deephedge.compare(strategy(), seeds=0, **o), "`seeds` must be at least 1, was 0"),
        (lambda **o: deephedge.compare(strategy(), seeds=-1, **o), "`seeds` must be at least 1, was -1"),
        (lambda **o: deephedge.compare(strategy(), optimizers=["sgd"], **o), "`optimizers`: must be one of adam, kfac, was \"sgd\""),
        (lambda **o: deephedge.compare(strategy(), tune=5, **o), "`tune` must be a power of two of at least 4, was 5"),
        (lambda **o: deephedge.compare(strategy(), frontier=[2.0], **o), "`frontier` must be"),
        (lambda **o: deephedge.compare(strategy(), steps=3, seconds=1, **o), "`seconds` has no meaning beside `steps`"),
        (lambda **o: deephedge.train(strategy(), optimizer="sgd", **o), "`optimizer`: must be one of adam, kfac, was \"sgd\""),
        (lambda **o: deephedge.train(strategy(), steps=0, **o), "`training.steps` must be"),
        (lambda **o: deephedge.train(strategy(optimizers={}), **o), "strategy: `optimizers` is missing"),
        (lambda **o: deephedge.train("nowhere.toml", **o), "nowhere.toml"),
        (lambda **o: deephedge.train(5, **o), "`strategy` must be the path of a file or a dict"),
        (lambda **o: deephedge.train(strategy(), progress=3, **o), "`progress` must be true, false or a callable, was int"),
        (lambda **o: deephedge.backtest(strategy(), **o), "`backtest` is missing"),
        (lambda **o: deephedge.backtest(strategy(), data="a.csv", start="June", **o), "`start` must be a date such as 2004-01-31, was 'June'"),
        (lambda **o: deephedge.backtest("nowhere", **o), "run `nowhere`: no such run"),
    ],
)
def test_an_argument_is_named(ask, words, tmp_path):
    """Nothing is left behind of what is refused."""
    with pytest.raises(deephedge.InputError, match=words):
        ask(runs=tmp_path)
    assert not list(tmp_path.iterdir())
