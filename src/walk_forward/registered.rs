//! The plan of a study, written down before it is run.

use super::compared::rules;
use super::window::Span;
use super::{check, prepared, spans};
use crate::backtest::{self, Calendar};
use crate::error::{Error, Result};
use crate::market::History;
use crate::runs::registration::{Periods, Sales, StudyPlan, portable};
use crate::runs::walk_forward::Phase;
use crate::strategy::Plan;

/// What a study of these strategies will do and how it will be judged. Of their histories it takes the dates and the hashes of
/// the files; nothing is calibrated, trained or hedged.
///
/// # Errors
/// [`Error::Input`] if a strategy cannot walk forward or its history is at fault.
pub fn study_plan(plans: &[&Plan]) -> Result<StudyPlan> {
    let mut plan = StudyPlan {
        version: env!("CARGO_PKG_VERSION").into(),
        strategies: Vec::new(),
        data: Vec::new(),
        periods: Vec::new(),
        statistics: rules(),
    };
    for one in plans {
        let settings = prepared::backtest(one)?;
        let (one, walk) = one.with_walk_forward()?;
        check(&settings, walk)?;
        let histories = backtest::load(&one, &settings)?;
        let calendar = Calendar::new(&histories[0], &one, &settings)?;
        let spans = spans(&histories[0], &calendar, &settings, &walk)?;
        let table = one.to_toml()?.parse().map_err(|error: toml::de::Error| {
            Error::Computation(format!("strategy as TOML: {}", error.message()))
        })?;
        let (strategy, files) = portable(&table)?;
        plan.strategies.push(strategy);
        for file in files {
            if !plan.data.contains(&file) {
                plan.data.push(file);
            }
        }
        plan.periods.push(Periods {
            strategy: one.name.clone(),
            validation: sales(&histories[0], &spans, Phase::Validation),
            test: sales(&histories[0], &spans, Phase::Test),
        });
    }
    Ok(plan)
}

fn sales(history: &History, spans: &[Span], phase: Phase) -> Option<Sales> {
    let own: Vec<&Span> = spans.iter().filter(|span| span.phase == phase).collect();
    let mut days = own.iter().flat_map(|span| &span.sales);
    let contracts = days.clone().count();
    let (first, last) = (days.next()?, own.last()?.sales.last()?);
    Some(Sales {
        first: history.dates[*first].to_string(),
        last: history.dates[*last].to_string(),
        contracts,
        windows: own.len(),
    })
}
