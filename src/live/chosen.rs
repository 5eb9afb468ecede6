//! Whose policies hedge a book.

use crate::error::{Error, Result, excerpt};
use crate::risk::Row;
use crate::runs::metrics::Metrics;
use crate::runs::protocol::Compared;
use crate::strategy::Plan;

/// The optimizer whose policies hedge, of those that have some, and how it was chosen: the one that is asked for or else that with the
/// least risk on the contracts of a walk-forward's validation period, on test paths or in the backtest, the first of these that there is.
///
/// # Errors
/// [`Error::Input`] if there is none, or none of that name.
pub fn optimizer(
    plan: &Plan,
    (metrics, validated): (&Metrics, Option<&Compared>),
    names: &[&str],
    asked: Option<&str>,
) -> Result<(String, &'static str)> {
    if let Some(asked) = asked {
        return match names.contains(&asked) {
            true => Ok((asked.to_owned(), "named")),
            false => Err(Error::input(format!(
                "--optimizer: must be one of {}, was \"{}\"",
                names.join(", "),
                excerpt(asked)
            ))),
        };
    }
    let mean = |rows: &[Row], name: &str| {
        let own: Vec<&Row> = rows.iter().filter(|row| row.strategy == name).collect();
        own.iter().map(|row| row.risk).sum::<f64>() / own.len() as f64
    };
    type Risk<'a> = Box<dyn Fn(&str) -> f64 + 'a>;
    let (risk, how): (Risk<'_>, _) = match (validated, metrics.evaluation.is_empty()) {
        (Some(compared), _) => (
            Box::new(|name| compared.row(name).map_or(f64::NAN, |row| row.risk)),
            "the least risk on the contracts of the validation period, a mean over seeds",
        ),
        (None, false) => (
            Box::new(|name| mean(&metrics.evaluation, name)),
            "the least risk on the run's test paths, a mean over seeds",
        ),
        (None, true) => (
            Box::new(|name| mean(&metrics.backtest, name)),
            "the least risk in the run's backtest, a mean over seeds",
        ),
    };
    let known = names.iter().filter(|name| !risk(name).is_nan());
    let best = known.min_by(|a, b| risk(a).total_cmp(&risk(b)));
    let best = best.copied().or(plan.default_optimizer());
    let best = best.ok_or_else(|| Error::input("the run has no optimizer"))?;
    Ok((best.to_owned(), how))
}
