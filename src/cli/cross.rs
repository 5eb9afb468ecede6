use super::Output;
use super::compare::{Bars, Changes, known_optimizer, load};
use crate::error::Result;
use crate::experiment::{self, Crossed};
use crate::report::table::{Cell, Table};
use crate::report::text::{WIDTH, render};
use crate::risk::Estimate;
use serde_json::json;
use std::path::Path;

/// What `cross` has beside its strategy.
#[derive(Debug, clap::Args)]
pub struct Crossing {
    /// Only these optimizers, separated by commas.
    #[arg(long, value_delimiter = ',')]
    optimizers: Option<Vec<String>>,
    /// Train with this many seeds, beginning with the strategy's.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    #[command(flatten)]
    changes: Changes,
}

pub fn run(strategy: &Path, crossing: &Crossing) -> Result<Output> {
    let mut plan = load(strategy, &crossing.changes, |_| {})?;
    if let Some(names) = &crossing.optimizers {
        for name in names {
            known_optimizer(&plan, "--optimizers", name)?;
        }
        plan.retain(|optimizer| names.contains(&optimizer.name));
    }
    let mut bars = Bars::default();
    let results = experiment::cross(&plan, crossing.seeds, &mut |at| {
        bars.show(&at);
        Ok(())
    })?;
    bars.finish();
    let mut strategies: Vec<&str> = Vec::new();
    for result in &results {
        if !strategies.contains(&result.strategy.as_str()) {
            strategies.push(&result.strategy);
        }
    }
    let risk = plan.risk.to_string();
    let mut texts = Vec::new();
    for strategy in strategies {
        let own: Vec<&Crossed> = results.iter().filter(|r| r.strategy == strategy).collect();
        texts.push(render(
            &table(&format!("{strategy}: {risk}"), &own, |r| number(r.risk)),
            WIDTH,
        ));
        texts.push(render(
            &table(
                &format!("{strategy}: change of the {risk} against its own made for the market"),
                &own,
                |r| percent(r.change),
            ),
            WIDTH,
        ));
    }
    texts.push(
        "Rows are the market that a policy was trained in, or whose parameters a classical hedge assumes; columns the \
         market of the test paths. ± is one standard error over paths and, where there are several, between seeds."
            .into(),
    );
    Ok(Output {
        text: texts.join("\n"),
        document: json!({ "risk": risk, "results": results }),
    })
}

fn table(caption: &str, results: &[&Crossed], cell: impl Fn(&Crossed) -> Cell) -> Table {
    let mut markets: Vec<&str> = Vec::new();
    for result in results {
        if !markets.contains(&result.made_for.as_str()) {
            markets.push(&result.made_for);
        }
    }
    let mut heads = vec!["made for".to_string()];
    heads.extend(markets.iter().map(|market| format!("tested in {market}")));
    let rows = markets.iter().map(|made_for| {
        let name = Cell {
            value: (*made_for).into(),
            ..Cell::default()
        };
        let row = results.iter().filter(|r| r.made_for == *made_for);
        std::iter::once(name).chain(row.map(|r| cell(r))).collect()
    });
    Table {
        caption: caption.into(),
        heads,
        rows: rows.collect(),
        findings: Vec::new(),
        notes: Vec::new(),
    }
}

fn number(estimate: Estimate) -> Cell {
    Cell {
        value: format!("{:.3}", estimate.value),
        error: Some(format!("±{:.3}", estimate.standard_error)),
        verdict: None,
    }
}

fn percent(change: Estimate) -> Cell {
    Cell {
        value: format!("{:+.1} %", 100.0 * change.value),
        error: Some(format!("±{:.1}", 100.0 * change.standard_error)),
        verdict: None,
    }
}
