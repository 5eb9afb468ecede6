use super::*;
use crate::risk::bootstrap::Interval;
use crate::runs::walk_forward::Phase;

fn bounded(value: f64, low: f64, high: f64) -> Bounded {
    Bounded {
        value,
        interval: Interval { low, high },
    }
}

fn row(name: &str, classical: bool, risk: f64) -> ComparedRow {
    let value = bounded(risk, risk - 0.1, risk + 0.1);
    ComparedRow {
        name: name.into(),
        title: name.into(),
        classical,
        seeds: usize::from(!classical),
        risk,
        mean: value,
        std: value,
        cvar: value,
        cost: value,
        between_seeds: None,
    }
}

/// A comparison of kfac with delta and naked, in which the differences from delta are those given for CVaR, standard deviation,
/// mean and cost, and kfac is lower than naked in everything.
fn compared(phase: Phase, differences: [(f64, f64); 4], corrected: f64) -> Compared {
    let test = |against: &str, statistic: &str, (low, high): (f64, f64), corrected: f64| Test {
        strategy: "kfac".into(),
        against: against.into(),
        statistic: statistic.into(),
        difference: bounded(0.5 * (low + high), low, high),
        p: 0.01,
        corrected,
    };
    let delta = STATISTICS.into_iter().zip(differences);
    let delta = delta.map(|(name, of)| test("delta", name, of, corrected));
    let naked = STATISTICS.map(|name| test("naked", name, (-2.0, -1.0), 0.001));
    Compared {
        phase,
        contracts: 751,
        days: 751,
        first_sale: "2006-01-03".into(),
        last_sale: "2020-11-30".into(),
        last_expiry: "2020-12-30".into(),
        block: 8.3,
        draws: 2000,
        level: 0.95,
        measure: "CVaR 95 %".into(),
        rows: vec![
            row("kfac", false, 0.765),
            row("naked", true, 2.461),
            row("delta", true, 0.793),
        ],
        differences: delta.chain(naked).collect(),
        between_learned: Vec::new(),
        years: Vec::new(),
        problems: Vec::new(),
        regimes: Vec::new(),
        worst: Vec::new(),
    }
}

const LOWER: (f64, f64) = (-0.05, -0.01);
const ALIKE: (f64, f64) = (-0.08, 0.02);
const HIGHER: (f64, f64) = (0.01, 0.05);

fn said(differences: [(f64, f64); 4]) -> String {
    let test = compared(Phase::Test, differences, 0.01);
    let validation = compared(Phase::Validation, differences, 0.01);
    let choice = Choice {
        validation: Some(&validation),
        test: &test,
    };
    format!(
        "{}\n{}",
        choice.paragraph("calls").unwrap(),
        choice.figures().unwrap()
    )
}

/// The words of each case follow the intervals: what they exclude from zero is lower or higher, all else is not distinguishable,
/// and the conclusion claims no more.
#[test]
fn words_follow_the_intervals() {
    let text = said([LOWER, LOWER, HIGHER, LOWER]);
    assert!(text.starts_with("751 contracts were sold from 2006-01-03 to 2020-11-30 (calls). Beside delta, the best classical hedge of the validation period and of the test by CVaR 95 %, the learned policy kfac loses less in the tail, and its outcomes vary less: CVaR 95 % 0.765 against 0.793, standard deviation 0.765 against 0.793 and cost 0.765 against 0.793.\n"), "{text}");
    assert!(text.contains("Beside delta, kfac has a lower CVaR 95 % (0.765 against 0.793, difference -0.030 [-0.050, -0.010]), a lower standard deviation ("), "{text}");
    assert!(
        text.contains(", a higher mean P&L (") && text.contains(" and a lower cost ("),
        "{text}"
    );
    assert!(
        text.contains(
            "The CVaR 95 % of kfac is lower than that of every classical hedge here (2)."
        ),
        "{text}"
    );
    assert!(!text.contains("not distinguishable"), "{text}");

    let text = said([ALIKE, LOWER, ALIKE, ALIKE]);
    assert!(text.contains("has a lower standard deviation ("), "{text}");
    assert!(
        text.contains("; its CVaR 95 % (") && text.contains(") are not distinguishable."),
        "{text}"
    );
    assert!(
        text.contains(
            "kfac has outcomes that vary less; that it loses less in the tail these contracts do not show:"
        ),
        "{text}"
    );
    assert!(text.contains("The CVaR 95 % of kfac is lower than that of 1 of 2 classical hedges and not distinguishable from that of delta."), "{text}");
    assert!(!text.contains("lower CVaR"), "{text}");

    let text = said([ALIKE, ALIKE, ALIKE, ALIKE]);
    assert!(
        text.contains("kfac is not distinguishable in CVaR 95 % ("),
        "{text}"
    );
    assert!(
        text.contains("kfac is not told apart in risk by these contracts:"),
        "{text}"
    );

    let text = said([HIGHER, ALIKE, ALIKE, ALIKE]);
    assert!(
        text.contains("has a higher CVaR 95 % (") && text.contains("kfac is the worse hedge:"),
        "{text}"
    );
    assert!(text.contains("higher than that of delta."), "{text}");
}

/// What an interval says but the correction does not is said so; without a validation period the choice of the hedge is called
/// one in hindsight; where another hedge is best on the test, both are named.
#[test]
fn words_say_what_was_known() {
    let test = compared(Phase::Test, [LOWER, LOWER, LOWER, LOWER], 0.2);
    let alone = Choice {
        validation: None,
        test: &test,
    };
    let text = alone.paragraph("calls").unwrap();
    assert!(
        text.ends_with("That is what each interval says for itself: after correction for all 8 comparisons none of these differences stays significant."),
        "{text}"
    );
    let figures = alone.figures().unwrap();
    assert!(
        figures.contains("-0.010]; not after correction)"),
        "{figures}"
    );
    assert!(
        text.contains("the best classical hedge of these contracts by CVaR 95 %, which is a choice in hindsight and favours it,"),
        "{text}"
    );
    assert!(alone.chosen().is_none());
    let mut validation = compared(Phase::Validation, [LOWER; 4], 0.01);
    validation.rows[1].risk = 0.5;
    let both = Choice {
        validation: Some(&validation),
        test: &test,
    };
    let text = both.paragraph("calls").unwrap();
    assert!(text.contains("Beside naked, the best classical hedge of the validation period by CVaR 95 %, the learned"), "{text}");
    assert!(
        text.contains("Beside delta, the best classical hedge of the test, which is a choice in hindsight and favours it, it loses less"),
        "{text}"
    );
    assert!(
        text.ends_with("comparisons 2 of these 4 differences stay significant."),
        "{text}"
    );
    assert!(!text.contains("No learned policy"), "{text}");
    assert_eq!(both.names(), ["kfac", "naked", "delta"]);
    let chosen = both.chosen().unwrap();
    assert!(
        chosen.ends_with(
            "of the learned policies kfac (0.765), of the classical hedges naked (0.500)."
        ),
        "{chosen}"
    );
    let test = compared(Phase::Test, [ALIKE; 4], 0.2);
    let both = Choice {
        validation: Some(&validation),
        test: &test,
    };
    let text = both.paragraph("calls").unwrap();
    assert!(
        text.contains("No learned policy has a lower CVaR 95 % than delta."),
        "{text}"
    );
    assert_eq!(
        both.brief("Calls")
            .unwrap()
            .matches("Calls: beside naked, kfac has a lower")
            .count(),
        1
    );
}

/// An interval that is not known tells nothing.
#[test]
fn an_unknown_interval_tells_nothing() {
    assert_eq!(
        Verdict::of(&bounded(-1.0, f64::NAN, f64::NAN)),
        Verdict::Alike
    );
}
