//! What a backtest assumed, for pages about a run.

use super::markup::definitions;
use crate::market::valuation::ContractPrice;
use crate::numbers::estimate;
use crate::runs::asset::written;
use crate::runs::metrics::BacktestMarket;
use maud::Markup;

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
        (None, None) if market.source == "surfaces" => {
            "none: the implied-volatility surface of the day".into()
        }
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
    let values = match market.assets.is_empty() {
        // What prices nothing is not told.
        true if market.source == "surfaces" => String::new(),
        true => written(&market.parameters).collect::<Vec<_>>().join(", "),
        false => {
            let assets = market.assets.iter();
            let words = assets.map(|asset| format!("{}: {}", asset.name, asset.words()));
            words.collect::<Vec<_>>().join("; ")
        }
    };
    if !values.is_empty() {
        facts.push(("Values", values));
    }
    let more = [
        (
            "Not determined by the returns",
            market.undetermined_parameters(),
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
    definitions(&facts)
}
