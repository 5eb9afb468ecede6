"""Runs, their tables and figures."""

import xml.etree.ElementTree

import deephedge
import polars
import pyarrow
import pytest
from conftest import strategy


def test_tables_are_those_of_the_folder(run):
    """A table has through Arrow the values of its file, in polars and in pyarrow, and of `to_dict`."""
    expected = polars.read_parquet(run.path / "evaluation.parquet")
    table = run.table("evaluation")
    assert len(table) == expected.height and table.columns == expected.columns
    assert polars.DataFrame(table).equals(expected)
    assert pyarrow.table(table).to_pydict() == expected.to_dict(as_series=False) == table.to_dict()
    assert table["pnl"] == expected["pnl"].to_list()
    # Twice from one table: a stream is made anew for every reader.
    assert polars.DataFrame(table).equals(expected)


def test_numbers_are_not_copied(run):
    """Two readers of a table have the same memory."""
    table = run.table("evaluation")
    buffers = [pyarrow.table(table)["pnl"].chunks[0].buffers()[1].address for _ in range(2)]
    assert buffers[0] == buffers[1]


def test_results_are_the_metrics(run):
    """The table of results has the rows of the metrics, empty cells where they have none."""
    rows = run.metrics["evaluation"]
    results = run.table("results").to_dict()
    for name in ["strategy", "seed", "pnl_mean", "risk", "steps"]:
        assert results[name] == [row.get(name) for row in rows], name
    assert None in results["seed"]


def test_every_table_can_be_read(run):
    assert {"evaluation", "results", "training", "comparisons"} <= set(run.tables)
    for name in run.tables:
        assert len(run.table(name)) == polars.DataFrame(run.table(name)).height > 0, name
    with pytest.raises(deephedge.InputError, match="table: must be one of evaluation, .*, was \"positions\""):
        run.table("positions")
    with pytest.raises(deephedge.InputError, match="column: must be one of strategy, .*, was \"p\""):
        run.table("evaluation")["p"]


def test_a_backtest_has_days(root):
    """Dates are dates, in Python and through Arrow."""
    prices = {"data": "market_data/sp500_daily.csv", "start": "2015-01-02", "end": "2015-06-30", "runs": root}
    table = deephedge.backtest(strategy(), **prices).table("backtest")
    assert table["date"] == polars.DataFrame(table)["date"].to_list()
    assert str(table["date"][0]).startswith("2015-")


def test_figures_are_drawings(run):
    """Every figure is well-formed SVG, the one that the report shows."""
    assert "pnl_histogram" in run.figures
    for name in run.figures:
        figure = run.figure(name)
        assert xml.etree.ElementTree.fromstring(figure.svg).tag.endswith("svg")
        assert figure._repr_svg_() == figure.svg == (run.path / "figures" / f"{name}.svg").read_text()
        assert figure.name == name and figure.caption
    with pytest.raises(deephedge.InputError, match="figure: must be one of .*pnl_histogram.*, was \"pie\""):
        run.figure("pie")


def test_a_notebook_shows_the_report(run):
    """The report stands in a frame of its own, whole."""
    shown = run._repr_html_()
    page = (run.path / "report.html").read_text()
    inside = shown.split('srcdoc="')[1].split('"')[0]
    assert inside.replace("&quot;", '"').replace("&amp;", "&") == page
    assert run.id in repr(run) and "kfac" in str(run)


def test_runs_go_by_their_names(run, tmp_path):
    """By the id, a beginning of it, the path; `latest` is the newest that is complete."""
    one = deephedge.train(strategy(name="one"), runs=tmp_path, steps=1)
    for name in [one.id, one.id[:-2], one.path, str(one.path), one]:
        assert deephedge.Run(name, runs=tmp_path).id == one.id
    assert deephedge.Run(run.path).id == run.id
    latest = deephedge.train(strategy(name="two"), runs=tmp_path, steps=1)
    assert deephedge.Run("latest", runs=tmp_path).id == deephedge.Run(runs=tmp_path).id == latest.id
    assert latest.is_complete
    with pytest.raises(deephedge.InputError, match="run `nowhere`: no such run"):
        deephedge.Run("nowhere", runs=tmp_path)
