//! Where the P&L of a strategy's contracts comes from, and how bad it gets.

use crate::risk::bootstrap::maximum_drawdown;
use crate::risk::null_as_nan;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many of the worst contracts are kept.
const WORST: usize = 3;

/// One strategy on contracts sold on history, its P&L averaged over its seeds.
///
/// # Units
/// Those of [`crate::risk::Row`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Breakdown {
    /// The name of the strategy.
    pub strategy: String,
    /// The greatest fall of P&L added up in the order of sale.
    pub maximum_drawdown: f64,
    /// The sale after which the drawdown began; none at the start.
    pub drawdown_from: Option<String>,
    /// The sale with which the drawdown ended.
    pub drawdown_to: String,
    /// Mean parts of the P&L, which add up to its mean.
    pub attribution: Vec<(String, f64)>,
    /// The part of delta that the drift of the returns before the sales explains.
    pub drift: f64,
    /// The standard deviation of the part delta: how much the strategy speculates on the spot; not a number with one
    /// contract.
    #[serde(deserialize_with = "null_as_nan")]
    pub delta_std: f64,
    /// The contracts with the greatest losses: sale, expiry, P&L.
    pub worst: Vec<(String, String, f64)>,
}

/// A contract that has expired, with the parts of its P&L; `drift` is contained in the part delta.
#[derive(Debug, Clone)]
pub struct Expired {
    /// The day of the sale.
    pub sold: NaiveDate,
    /// The day of expiry.
    pub expiry: NaiveDate,
    /// The P&L of the seller.
    pub pnl: f64,
    /// The parts of the P&L by name.
    pub parts: Vec<(&'static str, f64)>,
    /// The part of delta that the drift of the returns before the sale explains.
    pub drift: f64,
}

/// The days on which the worst contracts of all strategies were sold.
pub fn worst_sales<'a>(breakdowns: impl Iterator<Item = &'a Breakdown>) -> BTreeSet<NaiveDate> {
    let worst = breakdowns.flat_map(|of| &of.worst);
    worst.filter_map(|(sold, ..)| sold.parse().ok()).collect()
}

impl Breakdown {
    /// The breakdown of at least one contract, in the order of sale.
    pub fn new(strategy: &str, contracts: &[Expired]) -> Self {
        let count = contracts.len() as f64;
        let mean = |of: &dyn Fn(&Expired) -> f64| contracts.iter().map(of).sum::<f64>() / count;
        let attribution: Vec<(String, f64)> = contracts[0]
            .parts
            .iter()
            .enumerate()
            .map(|(at, (name, _))| ((*name).to_owned(), mean(&|c| c.parts[at].1)))
            .collect();
        let delta = contracts[0]
            .parts
            .iter()
            .position(|(name, _)| *name == "delta");
        let delta_std = delta.map_or(f64::NAN, |at| {
            let centre = attribution[at].1;
            (mean(&|c| (c.parts[at].1 - centre).powi(2)) * count / (count - 1.0)).sqrt()
        });
        let pnl: Vec<f64> = contracts.iter().map(|contract| contract.pnl).collect();
        let (fall, from, to) = maximum_drawdown(&pnl);
        let mut order: Vec<&Expired> = contracts.iter().collect();
        order.sort_by(|a, b| a.pnl.total_cmp(&b.pnl));
        Self {
            strategy: strategy.to_owned(),
            maximum_drawdown: fall,
            drawdown_from: from.map(|at| contracts[at].sold.to_string()),
            drawdown_to: contracts[to].sold.to_string(),
            attribution,
            drift: mean(&|contract| contract.drift),
            delta_std,
            worst: order
                .iter()
                .take(WORST)
                .map(|c| (c.sold.to_string(), c.expiry.to_string(), c.pnl))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expired(day: u32, pnl: f64) -> Expired {
        let date = |month| NaiveDate::from_ymd_opt(2020, month, day).unwrap();
        let mut parts = [
            "premium",
            "delta",
            "gamma",
            "theta",
            "vega",
            "financing",
            "costs",
            "unexplained",
        ]
        .map(|name| (name, 0.0));
        (parts[1].1, parts[6].1) = (pnl + 0.5, -0.5);
        Expired {
            sold: date(1),
            expiry: date(2),
            pnl,
            parts: parts.to_vec(),
            drift: 0.25,
        }
    }

    /// By hand: +1, −2, +1.5, −3 fall from 1 to −2.5; deltas 1.5, −1.5, 2, −2.5 have the mean −1/8 and the squared
    /// deviations (1.625² + 1.375² + 2.125² + 2.375²)/3.
    #[test]
    fn by_hand() {
        let pnl = [1.0, -2.0, 1.5, -3.0];
        let contracts: Vec<Expired> = (1..).zip(pnl).map(|(day, z)| expired(day, z)).collect();
        let of = Breakdown::new("naked", &contracts);
        assert_eq!(of.maximum_drawdown, 3.5);
        assert_eq!(of.drawdown_from.as_deref(), Some("2020-01-01"));
        assert_eq!(of.drawdown_to, "2020-01-04");
        let worst = |day: u32, pnl| (format!("2020-01-0{day}"), format!("2020-02-0{day}"), pnl);
        assert_eq!(of.worst, [worst(4, -3.0), worst(2, -2.0), worst(1, 1.0)]);
        assert_eq!(of.attribution[1], ("delta".into(), -0.125));
        assert_eq!(of.attribution[6], ("costs".into(), -0.5));
        assert_eq!(of.drift, 0.25);
        assert!((of.delta_std.powi(2) - 14.6875 / 3.0).abs() < 1e-12);
    }

    /// One contract has no deviation, which is written as null and read again.
    #[test]
    fn one_contract_is_read_again() {
        let of = Breakdown::new("naked", &[expired(1, -1.0)]);
        let read: Breakdown = serde_json::from_str(&serde_json::to_string(&of).unwrap()).unwrap();
        assert!(read.delta_std.is_nan() && of.delta_std.is_nan());
        assert_eq!(read.worst, of.worst);
    }
}
