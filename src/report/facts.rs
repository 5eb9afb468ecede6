//! Lists of terms and what they are, on pages about a run.

use super::html::escape;
use crate::runs::metrics::BacktestMarket;

/// Terms and what they are, as markup.
pub fn definitions(facts: &[(&str, String)]) -> String {
    let mut out = String::from("<dl class=\"facts\">\n");
    for (term, words) in facts {
        out.push_str(&format!("<div><dt>{term}</dt><dd>{words}</dd></div>\n"));
    }
    out.push_str("</dl>\n");
    out
}

/// The market that a backtest supposes.
pub fn assumptions(market: &BacktestMarket) -> String {
    let source = match (&market.estimated_from, &market.estimated_to) {
        (Some(from), Some(to)) => format!(
            "estimated from {}, {} to {}",
            escape(&market.source),
            escape(from),
            escape(to)
        ),
        (None, None) if market.source == "walk_forward" => "estimated anew for every window".into(),
        (None, None) => format!("given by the {}", escape(&market.source)),
        (Some(_), None) | (None, Some(_)) => {
            format!("estimated from {}, dates unknown", escape(&market.source))
        }
    };
    let mut facts = vec![
        ("Data", escape(&market.data)),
        (
            "Contracts",
            format!(
                "{}, sold {} to {}",
                market.contracts,
                escape(&market.first),
                escape(&market.last)
            ),
        ),
    ];
    let further = [
        ("Time to expiry", &market.tenor),
        ("Closes", &market.closes),
    ];
    for (term, words) in further {
        facts.extend(words.as_ref().map(|words| (term, escape(words))));
    }
    facts.push(("Market parameters", source));
    let parameters: Vec<String> = market
        .parameters
        .iter()
        .map(|(name, value)| {
            let value = match value.as_f64() {
                Some(number) if !value.is_i64() && !value.is_u64() => format!("{number:.4}"),
                _ => value.to_string(),
            };
            format!("{} = {}", escape(name), escape(&value))
        })
        .collect();
    if !parameters.is_empty() {
        facts.push(("Values", parameters.join(", ")));
    }
    if let Some(names) = market.precision.undetermined() {
        facts.push(("Not determined by the returns", escape(&names)));
    }
    if let Some(repairs) = market.repairs() {
        facts.push(("Repaired in the data", escape(&repairs)));
    }
    if !market.warnings.is_empty() {
        facts.push(("Odd in the data", escape(&market.warnings.join("; "))));
    }
    format!(
        "<section><h2>What the backtest assumed</h2>\n{}</section>\n",
        definitions(&facts)
    )
}
