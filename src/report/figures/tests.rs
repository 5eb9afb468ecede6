use super::*;
use crate::report::html::tests::assert_well_formed;
use crate::runs::fixture;
use crate::runs::metrics::Metrics;
use crate::runs::tables::{BacktestTable, EvaluationTable};

/// The figures of these parts of a run.
fn figures_of(
    metrics: &Metrics,
    evaluation: Option<&EvaluationTable>,
    backtest: Option<&BacktestTable>,
) -> Vec<DrawnFigure> {
    draw(&FigureData::new(metrics, evaluation, backtest, None)).unwrap()
}

fn all() -> Vec<DrawnFigure> {
    let (metrics, path) = (fixture::metrics(), fixture::example_path());
    let (evaluation, backtest) = (fixture::evaluation(), fixture::backtest());
    let data = FigureData::new(&metrics, Some(&evaluation), Some(&backtest), Some(&path));
    let daily = fixture::daily();
    draw(&data.with_daily(Some(&daily))).unwrap()
}

fn names(figures: &[DrawnFigure]) -> Vec<&str> {
    figures.iter().map(|drawn| drawn.figure.name).collect()
}

/// Every figure is well-formed and names the strategies that it shows, in both shapes.
#[test]
fn figures_are_well_formed_and_name_their_series() {
    let figures = all();
    assert_eq!(names(&figures), FIGURES.map(|figure| figure.name));
    for figure in &figures {
        for svg in [&figure.wide, &figure.narrow] {
            assert_well_formed(svg);
            // The Adam of the fixture has no damping.
            let drawn = if figure.figure.name == "damping" {
                1
            } else {
                2
            };
            for strategy in &["kfac", "adam"][..drawn] {
                assert!(
                    svg.contains(*strategy),
                    "{}: {strategy}",
                    figure.figure.name
                );
            }
            assert!(!svg.contains("NaN"), "{}", figure.figure.name);
        }
    }
    let wide = |name: &str| {
        let mut figures = figures.iter();
        &figures
            .find(|drawn| drawn.figure.name == name)
            .unwrap()
            .wide
    };
    assert!(wide("cost_cvar").contains("whalley_wilmott"));
    assert!(wide("example_path").contains("strike 100"));
    assert!(wide("damping").contains("damping λ") && wide("damping").contains("0.75"));
}

/// Without a backtest, training or example path their figures are left out, not drawn empty.
#[test]
fn figures_without_data_are_left_out() {
    let mut metrics = fixture::metrics();
    metrics.training.clear();
    let figures = figures_of(&metrics, Some(&fixture::evaluation()), None);
    assert_eq!(
        names(&figures),
        ["pnl_histogram", "pnl_difference", "cost_cvar"]
    );

    metrics.evaluation.clear();
    let empty = EvaluationTable::default();
    let none = figures_of(&metrics, Some(&empty), Some(&BacktestTable::default()));
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
    let figures = figures_of(&metrics, Some(&evaluation), Some(&backtest));
    let expected = [
        "pnl_histogram",
        "cost_cvar",
        "backtest_pnl",
        "backtest_histogram",
    ];
    assert_eq!(names(&figures), expected);
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
    let figures = figures_of(&metrics, None, None);
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
    assert_eq!(figures.len(), FIGURES.len());
    for figure in FIGURES {
        for form in [Form::Wide, Form::Narrow] {
            let file = DrawnFigure::file(figure, form);
            assert!(run.path().join(&file).is_file(), "{file}");
        }
    }
}
