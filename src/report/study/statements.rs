//! Sentences that are picked by the numbers.

use crate::report::summary::Verdict;
use crate::risk::Estimate;

/// The mean of paired differences and its standard error between pairs; one pair has none.
pub fn paired(differences: &[f64]) -> Option<Estimate> {
    let n = differences.len() as f64;
    if differences.is_empty() {
        return None;
    }
    let value = differences.iter().sum::<f64>() / n;
    let squares = differences.iter().map(|d| (d - value).powi(2)).sum::<f64>();
    Some(Estimate {
        value,
        standard_error: (squares / (n - 1.0) / n).sqrt(),
    })
}

/// Where a method stands whose risk differs by `difference` from another's.
pub fn standing(difference: &Estimate) -> &'static str {
    standing_to(difference).0
}

/// [`standing`], and the word that leads on to the other's name.
pub fn standing_to(difference: &Estimate) -> (&'static str, &'static str) {
    match Verdict::lower_is_better(difference.value, difference.standard_error) {
        Verdict::Better => ("ahead", "of "),
        Verdict::Worse => ("behind", ""),
        Verdict::Undecided | Verdict::OneSeed => ("not separated", "from "),
        Verdict::Withheld | Verdict::Unknown => ("not comparable", "with "),
    }
}

/// A difference with its 95 % interval, ±1.96 standard errors.
pub fn with_interval(difference: &Estimate) -> String {
    let reach = 1.96 * difference.standard_error;
    if !reach.is_finite() {
        return signed(difference.value);
    }
    let (low, high) = (difference.value - reach, difference.value + reach);
    format!(
        "{} [{}, {}]",
        signed(difference.value),
        signed(low),
        signed(high)
    )
}

/// Four decimals and a proper minus sign.
pub fn signed(value: f64) -> String {
    format!("{value:+.4}").replace('-', "−")
}

/// A change in per cent with one decimal.
pub fn percent(change: f64) -> String {
    format!("{:+.1} %", 100.0 * change).replace('-', "−")
}

/// Whether two hedges of about the same risk are the same hedge: mean cost and standard deviation of P&L within 2 %.
pub fn same_hedge(cost_change: f64, deviation_change: f64) -> &'static str {
    const NEAR: f64 = 0.02;
    match (cost_change.abs() < NEAR, deviation_change.abs() < NEAR) {
        (true, true) => "practically the same hedge (both within 2 %)",
        (true, false) => "the same cost within 2 %, but another spread of P&L",
        (false, true) => "the same spread of P&L within 2 %, but another cost",
        (false, false) => "another hedge: cost and spread of P&L differ by more than 2 %",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences 1, 2, 3: mean 2, standard error 1/√3.
    #[test]
    fn pairs_give_mean_and_standard_error() {
        let estimate = paired(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(estimate.value, 2.0);
        assert!((estimate.standard_error - 1.0 / 3f64.sqrt()).abs() < 1e-12);
        assert!(paired(&[]).is_none());
        assert_eq!(standing(&paired(&[1.0]).unwrap()), "not comparable");
    }

    /// Two standard errors decide, and lower is better.
    #[test]
    fn words_follow_the_numbers() {
        let said = |value, standard_error| {
            standing(&Estimate {
                value,
                standard_error,
            })
        };
        assert_eq!(said(-0.021, 0.01), "ahead");
        assert_eq!(said(0.021, 0.01), "behind");
        assert_eq!(said(-0.019, 0.01), "not separated");
        let estimate = Estimate {
            value: -0.1,
            standard_error: 0.01,
        };
        assert_eq!(with_interval(&estimate), "−0.1000 [−0.1196, −0.0804]");
        assert_eq!(percent(-0.783), "−78.3 %");
        assert!(same_hedge(0.01, -0.019).starts_with("practically the same"));
        assert!(same_hedge(-0.03, 0.0).contains("another cost"));
    }
}
