//! Which tests of a walk-forward are significant, in words.

use crate::numbers::share;
use crate::runs::walk_forward::Test;

/// Corrected p-values below it are significant.
pub const LEVEL: f64 = 0.05;

/// How many tests are significant after correction, which, and whom none of them tells from the strategy under test; none if
/// there are no tests. `level` is that of the CVaR.
pub fn summary(tests: &[Test], level: f64) -> Option<String> {
    let strategy = &tests.first()?.strategy;
    let mut rivals: Vec<(&str, Vec<String>)> = Vec::new();
    for test in tests {
        if rivals
            .last()
            .is_none_or(|(against, _)| *against != test.against)
        {
            rivals.push((&test.against, Vec::new()));
        }
        if let Some((_, significant)) = rivals.last_mut()
            && test.corrected < LEVEL
        {
            significant.push(statistic(test, level));
        }
    }
    let (alike, told): (Vec<_>, Vec<_>) =
        rivals.into_iter().partition(|(_, found)| found.is_empty());
    let count: usize = told.iter().map(|(_, found)| found.len()).sum();
    let told: Vec<String> = told
        .iter()
        .map(|(against, found)| format!("{} against {against}", found.join(" and ")))
        .collect();
    let alike: Vec<&str> = alike.iter().map(|(against, _)| *against).collect();
    let which = match told.is_empty() {
        true => String::new(),
        false => format!(" ({})", told.join("; ")),
    };
    let rest = match alike.is_empty() {
        true => String::new(),
        false => format!(
            " The contracts do not tell {strategy} from {}.",
            alike.join(", ")
        ),
    };
    Some(format!(
        "Of {} comparisons, corrected for their number, {count} {} significant{which}.{rest}",
        tests.len(),
        if count == 1 { "is" } else { "are" }
    ))
}

/// The name of what a test compares; `level` is that of the CVaR.
pub fn statistic(test: &Test, level: f64) -> String {
    match test.statistic.as_str() {
        "cvar" => format!("CVaR {}", share(level)),
        "mean" => "mean P&L".into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::bootstrap::Interval;
    use crate::runs::walk_forward::Bounded;

    fn test(against: &str, statistic: &str, corrected: f64) -> Test {
        Test {
            strategy: "kfac".into(),
            against: against.into(),
            statistic: statistic.into(),
            difference: Bounded {
                value: 0.0,
                interval: Interval {
                    low: 0.0,
                    high: 0.0,
                },
            },
            p: corrected / 4.0,
            corrected,
        }
    }

    /// The summary counts what is below 5 % after correction, names it, and names every rival with nothing below.
    #[test]
    fn significant_comparisons_are_counted_and_named() {
        let mut tests = vec![
            test("adam", "mean", 1.0),
            test("adam", "cvar", 0.05),
            test("naked", "std", 0.003),
            test("naked", "cvar", 0.049),
        ];
        assert_eq!(
            summary(&tests, 0.95).unwrap(),
            "Of 4 comparisons, corrected for their number, 2 are significant (std and CVaR 95 % against naked). The contracts \
             do not tell kfac from adam."
        );
        assert_eq!(
            summary(&tests[..3], 0.95).unwrap(),
            "Of 3 comparisons, corrected for their number, 1 is significant (std against naked). The contracts do not tell \
             kfac from adam."
        );
        tests.drain(..2);
        assert_eq!(
            summary(&tests, 0.95).unwrap(),
            "Of 2 comparisons, corrected for their number, 2 are significant (std and CVaR 95 % against naked)."
        );
        assert_eq!(summary(&[], 0.95), None);
    }
}
