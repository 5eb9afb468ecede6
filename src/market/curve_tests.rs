use super::*;
use proptest::prelude::*;

fn curve(pillars: &[(f64, f64)]) -> Curve {
    let pairs: Vec<Vec<f64>> = pillars.iter().map(|&(d, z)| vec![d, z]).collect();
    Curve::of_pillars("market.rate", &pairs).unwrap()
}

/// ∫₀ᵗ f = z t at every pillar; forward rates are differences of z t over the time between, z_1 before the first pillar and the last one
/// after the last.
#[test]
fn it_has_the_zero_rates_of_its_pillars() {
    let pillars = [(73.0, 0.01), (146.0, 0.03), (365.0, 0.02)];
    let found = curve(&pillars);
    for (days, rate) in pillars {
        let time = days / 365.0;
        assert!((found.integral(0.0, time) - rate * time).abs() < 1e-16);
        assert!((found.average(0.0, time) - rate).abs() < 1e-16);
        assert!((found.discount(0.0, time) - (-rate * time).exp()).abs() < 1e-15);
    }
    // (0.03·0.4 − 0.01·0.2)/0.2 and (0.02 − 0.012)/0.6
    for (time, forward) in [
        (0.0, 0.01),
        (0.1, 0.01),
        (0.2, 0.05),
        (0.3, 0.05),
        (0.4, 0.008 / 0.6),
        (0.99, 0.008 / 0.6),
        (5.0, 0.008 / 0.6),
    ] {
        assert!((found.forward(time) - forward).abs() < 1e-15, "{time}");
    }
    assert!((found.integral(0.0, 3.0) - (0.02 + 2.0 * 0.008 / 0.6)).abs() < 1e-15);
    let times: Vec<f64> = found.pillars().collect();
    assert_eq!(times, [0.2, 0.4, 1.0]);
}

/// Equal rates at all pillars are the number, to the bit, and so is a single pillar.
#[test]
fn equal_pillars_are_a_number() {
    let (rate, number) = (0.037, Curve::from(0.037));
    for list in [
        curve(&[(30.0, rate)]),
        curve(&[(30.0, rate), (91.0, rate), (365.0, rate)]),
    ] {
        assert_eq!(list.constant(), Some(rate));
        for (from, to) in [(0.0, 0.1), (0.03, 0.7), (0.5, 0.5), (1.2, 7.0)] {
            assert_eq!(list.average(from, to), rate);
            assert_eq!(list.integral(from, to), number.integral(from, to));
            assert_eq!(list.discount(from, to), number.discount(from, to));
        }
    }
    assert_eq!(curve(&[(30.0, rate), (60.0, 0.0)]).constant(), None);
}

/// What is written is read back as it was, a number as a number.
#[test]
fn it_is_written_as_it_was_given() {
    let list = curve(&[(30.0, 0.01), (365.0, 0.02)]);
    let written = serde_json::to_string(&list).unwrap();
    assert_eq!(written, "[[30.0,0.01],[365.0,0.02]]");
    assert_eq!(serde_json::from_str::<Curve>(&written).unwrap(), list);
    let number: Curve = serde_json::from_str("0.05").unwrap();
    assert_eq!(number, 0.05.into());
    assert_eq!(serde_json::to_string(&number).unwrap(), "0.05");
    assert_eq!(
        serde_json::from_str::<Curve>("[[30, 0]]").unwrap(),
        curve(&[(30.0, 0.0)])
    );
    assert!(serde_json::from_str::<Curve>("[[30, 2]]").is_err());
}

/// Errors name the entry, its value and the bound.
#[test]
fn pillars_at_fault_are_named() {
    let wrong = |pairs: &[&[f64]]| {
        let pairs: Vec<Vec<f64>> = pairs.iter().map(|pair| pair.to_vec()).collect();
        let error = Curve::of_pillars("market.rate", &pairs).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    };
    for (pairs, expected) in [
        (
            &[&[30.0, 0.01][..], &[30.0, 0.02]][..],
            "`market.rate[2]` must be of more days than the 30 before, was 30",
        ),
        (
            &[&[0.0, 0.01]],
            "`market.rate[1]` must be of a number of days above 0, was 0",
        ),
        (
            &[&[f64::INFINITY, 0.01]],
            "`market.rate[1]` must be of a number of days above 0, was inf",
        ),
        (
            &[&[30.0, 0.01], &[60.0, 2.5]],
            "`market.rate[2]` must be of a rate in [-1, 1], was 2.5",
        ),
        (
            &[&[30.0, f64::NAN]],
            "`market.rate[1]` must be of a rate in [-1, 1], was NaN",
        ),
        (
            &[&[30.0, 0.1, 0.1]],
            "`market.rate[1]` must be a pair [days, rate], was a list of 3",
        ),
        (
            &[],
            "`market.rate` must be a number or a list of 1 to 500 pairs [days, rate], was 0",
        ),
    ] {
        assert_eq!(wrong(pairs), expected);
    }
}

proptest! {
    /// Integrals add up, and discount factors are the products of those of the parts, whatever the times are.
    #[test]
    fn integrals_add_up(
        steps in prop::collection::vec((1.0..400.0f64, -0.2..0.2f64), 1..12),
        times in prop::array::uniform3(0.0..6.0f64),
    ) {
        let mut days = 0.0;
        let pillars: Vec<(f64, f64)> = steps
            .iter()
            .map(|(step, rate)| {
                days += step;
                (days, *rate)
            })
            .collect();
        let found = curve(&pillars);
        let mut times = times;
        times.sort_unstable_by(f64::total_cmp);
        let [a, b, c] = times;
        let (whole, parts) = (found.integral(a, c), found.integral(a, b) + found.integral(b, c));
        prop_assert!((whole - parts).abs() < 1e-13, "{whole} {parts}");
        let product = found.discount(a, b) * found.discount(b, c);
        prop_assert!((found.discount(a, c) / product - 1.0).abs() < 1e-13);
        // Forward rates are constant between pillars: over any stretch without one the average is the forward.
        if !found.pillars().any(|pillar| (a..b).contains(&pillar)) {
            prop_assert!((found.average(a, b) - found.forward(a)).abs() < 1e-9);
        }
    }
}
