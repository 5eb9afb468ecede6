//! What a backtest assumed, as a section of pages about a run.

use super::markup::definitions;
use crate::market::valuation::ContractPrice;
use crate::numbers::{Rounding, estimate};
use crate::runs::metrics::BacktestMarket;
use maud::{Markup, html};

/// The price of a contract under its model and how it came about: `4.5123 ± 0.0012, by simulation`.
pub fn price_text(price: &ContractPrice) -> String {
    let number = estimate(price.value, price.standard_error, 7);
    format!("{number}, {}", price.method.words())
}

/// The market that a backtest supposes.
pub fn assumptions(market: &BacktestMarket) -> Markup {
    let source = match (&market.estimated_from, &market.estimated_to) {
        (Some(from), Some(to)) => format!("estimated from {}, {from} to {to}", market.source),
        (None, None) if market.source == "walk_forward" => "estimated anew for every window".into(),
        (None, None) => format!("given by the {}", market.source),
        (Some(_), None) | (None, Some(_)) => {
            format!("estimated from {}, dates unknown", market.source)
        }
    };
    let mut facts = vec![
        ("Data", market.data.clone()),
        (
            "Contracts",
            format!(
                "{}, sold {} to {}",
                market.contracts, market.first, market.last
            ),
        ),
    ];
    let further = [
        ("Time to expiry", &market.tenor),
        ("Closes", &market.closes),
    ];
    for (term, words) in further {
        facts.extend(words.as_ref().map(|words| (term, words.clone())));
    }
    facts.push(("Market parameters", source));
    let parameters: Vec<String> = market
        .parameters
        .iter()
        .map(|(name, value)| {
            let value = match value.as_f64() {
                Some(number) if !value.is_i64() && !value.is_u64() => {
                    Rounding::of_parameter(number).write(number)
                }
                _ => value.to_string(),
            };
            format!("{name} = {value}")
        })
        .collect();
    if !parameters.is_empty() {
        facts.push(("Values", parameters.join(", ")));
    }
    let more = [
        (
            "Not determined by the returns",
            market.precision.undetermined(),
        ),
        ("Repaired in the data", market.repairs()),
        (
            "Odd in the data",
            (!market.warnings.is_empty()).then(|| market.warnings.join("; ")),
        ),
    ];
    for (term, words) in more {
        facts.extend(words.map(|words| (term, words)));
    }
    html! {
        section { h2 { "What the backtest assumed" } (definitions(&facts)) }
    }
}
