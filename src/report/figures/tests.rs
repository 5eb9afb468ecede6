use super::*;
use crate::report::html::tests::assert_well_formed;
use crate::runs::fixture;

fn all() -> Vec<Figure> {
    draw(
        &fixture::metrics(),
        Some(&fixture::evaluation()),
        Some(&fixture::backtest()),
        Some(&fixture::example_path()),
    )
    .unwrap()
}

/// Every figure is well-formed and names the strategies that it shows, in both shapes.
#[test]
fn figures_are_well_formed_and_name_their_series() {
    let figures = all();
    let names: Vec<_> = figures.iter().map(|figure| figure.kind.name()).collect();
    let all: Vec<_> = Kind::all().map(Kind::name).collect();
    assert_eq!(names, all);
    for figure in &figures {
        for svg in [&figure.wide, &figure.narrow] {
            assert_well_formed(svg);
            // The Adam of the fixture has no damping.
            let drawn = if figure.kind == Kind::Damping { 1 } else { 2 };
            for strategy in &["kfac", "adam"][..drawn] {
                assert!(
                    svg.contains(*strategy),
                    "{}: {strategy}",
                    figure.kind.name()
                );
            }
            assert!(!svg.contains("NaN"), "{}", figure.kind.name());
        }
    }
    let wide = |kind: Kind| {
        &figures
            .iter()
            .find(|figure| figure.kind == kind)
            .unwrap()
            .wide
    };
    assert!(wide(Kind::CostCvar).contains("whalley_wilmott"));
    assert!(wide(Kind::ExamplePath).contains("strike 100"));
    assert!(wide(Kind::Damping).contains("damping λ") && wide(Kind::Damping).contains("0.75"));
}

/// Without a backtest, training or example path their figures are left out, not drawn empty.
#[test]
fn figures_without_data_are_left_out() {
    let mut metrics = fixture::metrics();
    metrics.training.clear();
    let figures = draw(&metrics, Some(&fixture::evaluation()), None, None).unwrap();
    let names: Vec<_> = figures.iter().map(|figure| figure.kind.name()).collect();
    assert_eq!(names, ["pnl_histogram", "cost_cvar"]);

    metrics.evaluation.clear();
    let empty = EvaluationTable::default();
    let none = draw(
        &metrics,
        Some(&empty),
        Some(&BacktestTable::default()),
        None,
    )
    .unwrap();
    assert!(none.is_empty());
}

/// Degenerate data – one path, one contract, a diverged training, equal values – still draw.
#[test]
fn degenerate_data_still_draw() {
    let mut metrics = fixture::metrics();
    for curve in &mut metrics.training {
        curve.points.truncate(2);
        for point in &mut curve.points {
            point.risk = f64::NAN;
            point.validation_risk = None;
        }
    }
    metrics.evaluation.truncate(1);
    metrics.evaluation[0].cost_mean = 0.0;
    metrics.evaluation[0].cost_mean_standard_error = f64::NAN;
    let mut evaluation = fixture::evaluation();
    evaluation.books.truncate(1);
    evaluation.books[0].pnl = vec![0.0];
    let mut backtest = fixture::backtest();
    backtest.books.truncate(1);
    backtest.books[0].date.truncate(1);
    backtest.books[0].expiry.truncate(1);
    backtest.books[0].pnl.truncate(1);
    let figures = draw(&metrics, Some(&evaluation), Some(&backtest), None).unwrap();
    let names: Vec<_> = figures.iter().map(|figure| figure.kind.name()).collect();
    let expected = [
        "pnl_histogram",
        "cost_cvar",
        "backtest_pnl",
        "backtest_histogram",
    ];
    assert_eq!(names, expected);
    for figure in figures {
        assert_well_formed(&figure.wide);
        assert!(!figure.wide.contains("NaN"));
    }
}

/// A strategy's name is text in the picture, never markup.
#[test]
fn names_are_escaped() {
    let mut metrics = fixture::metrics();
    for row in &mut metrics.evaluation {
        row.strategy = "<script>".into();
    }
    let figures = draw(&metrics, None, None, None).unwrap();
    for figure in figures {
        assert_well_formed(&figure.wide);
        assert!(!figure.wide.contains("<script>"));
    }
}

/// Both shapes land in the run folder under names that the pages use.
#[test]
fn figures_are_written_beside_the_run() {
    let root = fixture::Scratch::new("figures");
    let run = fixture::write(root.path());
    let figures = write_figures(&run).unwrap();
    assert_eq!(figures.len(), Kind::ALL.len());
    for kind in Kind::all() {
        for form in [Form::Wide, Form::Narrow] {
            let file = Figure::file(kind, form);
            assert!(run.path().join(&file).is_file(), "{file}");
        }
    }
}
