//! What a strategy hedges, in one line.

use super::costs::CostsSection;
use super::file::Strategy;
use super::instruments::{InstrumentSection, NamedInstrument, OptionSection};
use super::tenor::{DayCount, Tenor};
use crate::contract::OptionKind;
use crate::error::excerpt;
use crate::numbers::{counted, share};
use serde_json::Value;

/// How near strike and spot are, as a share of the spot, where an option is called at the money.
const AT_THE_MONEY: f64 = 1e-9;

/// Names of contracts that begin with a capital inside a line.
const PROPER: [&str; 2] = ["american", "asian"];

/// Numbers of the section `costs` that are no cost by themselves.
const NO_COST: [&str; 5] = [
    "proportional",
    "contracts",
    "smoothing",
    "smoothing_end",
    "daily_volume",
];

impl Strategy {
    /// What is hedged, in one line: what is sold and for how long, in which model, at which costs, how often and with what.
    ///
    /// ```
    /// use deephedge::strategy::Strategy;
    ///
    /// let text = "[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 1.5\ntheta = 0.04\nsigma = 0.3\nrho = -0.7\n\
    ///             [contract]\nstrike = 100\nexpiry_days = 30\n[costs]\nproportional = 0.01\n";
    /// assert_eq!(
    ///     Strategy::parse(text)?.in_words(),
    ///     "Short 1 at-the-money call, 30 calendar days, Heston, costs 1 %, hedged daily with spot"
    /// );
    /// # Ok::<(), deephedge::error::Error>(())
    /// ```
    pub fn in_words(&self) -> String {
        let mut contract = self.contract.clone();
        let tenor = Tenor::new(&mut contract, self.backtest.is_some());
        let drawn: Vec<&str> = self.ranges.keys().map(last_part).collect();
        let mut parts = vec![self.sold(), lifetime(tenor), self.model()];
        if !drawn.is_empty() {
            parts.push(format!("{} drawn from ranges", drawn.join(" and ")));
        }
        parts.push(costs(&self.costs));
        parts.push(format!(
            "hedged {} with {}",
            self.often(tenor),
            self.instruments(tenor)
        ));
        parts.join(", ")
    }

    /// What is sold: `Short 1 call, strike 105`.
    fn sold(&self) -> String {
        let product = &self.contract.product;
        let terms = serde_json::to_value(product).unwrap_or_default();
        let mut name = product.name().replace('_', " ");
        for proper in PROPER {
            if let Some(rest) = name.strip_prefix(proper) {
                name = format!("{}{}{rest}", proper[..1].to_uppercase(), &proper[1..]);
            }
        }
        let (before, after) = match &self.market.several {
            None => strike(&terms["strike"], self.market.spot),
            Some(_) => strike(&terms["strike"], f64::NAN),
        };
        let payoff = terms["payoff"].as_str();
        let payoff = payoff.map_or(String::new(), |text| format!(" {}", excerpt(text)));
        format!("Short 1 {before}{name}{after}{payoff}")
    }

    fn model(&self) -> String {
        match &self.market.several {
            None => self.market.model.title().to_owned(),
            Some(several) => {
                let titles = several.others.iter().map(|asset| asset.model.title());
                let mut all = vec![self.market.model.title()];
                for title in titles {
                    if !all.contains(&title) {
                        all.push(title);
                    }
                }
                format!("{} on {} assets", all.join(" and "), several.names.len())
            }
        }
    }

    /// How often the hedge is changed: `daily`, `every 2 trading days`, `4 times a day`.
    fn often(&self, tenor: Tenor) -> String {
        let Some(steps) = self.contract.steps else {
            return "daily".into();
        };
        let period = tenor.days / steps as f64;
        let week = match tenor.count {
            DayCount::Trading => 5.0,
            DayCount::Calendar => 7.0,
        };
        let near = |days: f64| (period - days).abs() < 1e-9;
        if near(1.0) {
            return "daily".into();
        }
        if near(week) {
            return "weekly".into();
        }
        if period < 1.0 {
            return format!("{} times a day", rounded(1.0 / period));
        }
        let kind = kind_of_days(tenor.count);
        format!("every {} {kind} days", rounded(period))
    }

    fn instruments(&self, tenor: Tenor) -> String {
        let several = self.market.several.as_ref();
        let all = self.policy.instruments.iter();
        let words: Vec<String> = all
            .map(|one| match one {
                InstrumentSection::Named(NamedInstrument::Spot) => match several {
                    Some(several) => format!("{} spots", several.names.len()),
                    None => "spot".into(),
                },
                InstrumentSection::Named(NamedInstrument::VarianceSwap) => "a variance swap".into(),
                InstrumentSection::OfAsset(name) => name.replace('_', " "),
                InstrumentSection::Option(option) => option_words(option, tenor),
                InstrumentSection::Costly(costly) => {
                    let swap = costly.variance_swap.as_ref();
                    let swap = swap.map(|name| format!("the variance swap of {name}"));
                    let spot = costly.spot.as_ref().map(|name| format!("spot of {name}"));
                    spot.or(swap).unwrap_or_else(|| "spot".into())
                }
            })
            .collect();
        match words.as_slice() {
            [] => "nothing".into(),
            [one] => one.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        }
    }
}

fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn kind_of_days(count: DayCount) -> &'static str {
    match count {
        DayCount::Trading => "trading",
        DayCount::Calendar => "calendar",
    }
}

fn lifetime(tenor: Tenor) -> String {
    format!("{} {} days", tenor.days, kind_of_days(tenor.count))
}

/// A number without the digits that a quotient of two whole ones leaves.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// What stands before and after the name of a contract with this strike.
fn strike(strike: &Value, spot: f64) -> (String, String) {
    let at_the_money = |multiple: f64| (multiple - 1.0).abs() < AT_THE_MONEY;
    let plain = |words: String| (String::new(), words);
    if let Some(multiple) = strike["moneyness"].as_f64() {
        return match at_the_money(multiple) {
            true => ("at-the-money ".into(), String::new()),
            false => plain(format!(" at {} of the spot", share(multiple))),
        };
    }
    if let Some(delta) = strike["delta"].as_f64() {
        return (format!("{}-delta ", rounded(100.0 * delta)), String::new());
    }
    match strike.as_f64() {
        Some(amount) if at_the_money(amount / spot) => ("at-the-money ".into(), String::new()),
        Some(amount) if spot.is_finite() => plain(format!(
            " at {} of the spot",
            share(rounded4(amount / spot))
        )),
        Some(amount) => plain(format!(" struck at {amount}")),
        None => (String::new(), String::new()),
    }
}

fn rounded4(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// What trading costs: `costs 1 %`, `no costs`.
fn costs(costs: &CostsSection) -> String {
    let numbers = match serde_json::to_value(costs) {
        Ok(Value::Object(numbers)) => numbers,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let mut words: Vec<String> = Vec::new();
    if costs.proportional > 0.0 {
        words.push(share(costs.proportional));
    }
    for (name, value) in &numbers {
        let amount = value.as_f64().filter(|amount| *amount != 0.0);
        if let Some(amount) = amount.filter(|_| !NO_COST.contains(&name.as_str())) {
            words.push(format!("{} {amount}", name.replace('_', " ")));
        }
    }
    let grouped = match costs.contracts > 1.0 {
        true if costs.contracts.fract() == 0.0 => {
            format!(
                " shared by {}",
                counted(costs.contracts as usize, "contract")
            )
        }
        true | false => String::new(),
    };
    match words.is_empty() {
        true => "no costs".into(),
        false => format!("costs {}{grouped}", words.join(" + ")),
    }
}

fn option_words(option: &OptionSection, tenor: Tenor) -> String {
    let kind = match option.kind {
        OptionKind::Call => "call",
        OptionKind::Put => "put",
    };
    let days = option.expiry_days.unwrap_or(tenor.days);
    let of = option.asset.iter().map(|name| format!(" on {name}"));
    format!("a {days}-day {kind}{}", of.collect::<String>())
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
