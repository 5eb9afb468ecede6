//! Identities that hold on every path, and contracts worked out by hand.

use super::fixture::{days, drawn, names, observe, paid, payment, payoff, sheet, spots};
use super::{Grid, Program, Sheet};
use crate::contract::{Observed, Spots};
use crate::simd::{BLOCK, Lane};

const STEPS: usize = 63;

fn sum(a: &Lane<f64>, b: &Lane<f64>) -> Lane<f64> {
    std::array::from_fn(|lane| a[lane] + b[lane])
}

#[track_caller]
fn assert_near(found: &Lane<f64>, expected: &Lane<f64>, tolerance: f64) {
    for lane in 0..BLOCK {
        assert!(
            (found[lane] - expected[lane]).abs() <= tolerance,
            "path {lane}: {} is not {}",
            found[lane],
            expected[lane]
        );
    }
}

/// What is knocked in and what is knocked out are the option together, on every path, for every barrier.
#[test]
fn in_and_out_are_the_option() {
    for seed in 0..5 {
        let call = paid("max(S - K, 0)", STEPS, seed);
        for barrier in [
            "lowest(S) <= 93",
            "highest(S) >= 110",
            "any(S > 104, weekly)",
        ] {
            let out = paid(&format!("when({barrier}, 0, max(S - K, 0))"), STEPS, seed);
            let within = paid(&format!("when({barrier}, max(S - K, 0), 0)"), STEPS, seed);
            assert_eq!(sum(&within, &out), call);
        }
    }
}

/// A knock-out that ends the contract pays what one does that looks back at expiry, and ends at the first date on or below
/// the barrier.
#[test]
fn a_knock_out_ends_the_contract() {
    let ends = sheet([
        payment("every(1)", Some("S <= 93"), "0", true),
        payment("expiry", None, "max(S - 100, 0)", false),
    ]);
    let program = Program::new(&ends, &names(&["x"]), days(STEPS)).unwrap();
    // Nothing is what is paid at a knock-out.
    assert_eq!(program.due(), [STEPS]);
    assert!(program.can_end() && program.accumulators().is_empty());
    let paths = spots(1, STEPS, 3);
    let found = observe(&program, &paths, &[], None);
    assert_eq!(
        found.payments[0],
        paid("when(lowest(S) <= 93, 0, max(S - K, 0))", STEPS, 3)
    );
    for lane in 0..BLOCK {
        let hit = (1..=STEPS).find(|t| paths[0][*t][lane] <= 93.0);
        assert_eq!(found.end[lane], hit.unwrap_or(STEPS));
    }
    assert!(found.end.contains(&STEPS) && found.end.iter().any(|end| *end < STEPS));
}

/// The better and the worse of two are the two together.
#[test]
fn best_and_worst_are_the_sum() {
    let of = |text: &str| {
        let program =
            Program::new(&payoff(text).unwrap(), &names(&["a", "b"]), days(STEPS)).unwrap();
        observe(&program, &spots(2, STEPS, 4), &[], None).payments[0]
    };
    let best = of("max(max(S.a, S.b) - K, 0)");
    let worst = of("max(min(S.a, S.b) - K, 0)");
    let (a, b) = (of("max(S.a - K, 0)"), of("max(S.b - K, 0)"));
    assert_near(&sum(&best, &worst), &sum(&a, &b), 0.0);
}

/// The average of a term that does not change is that term; sums count; the highest is no less than the average, nor that
/// than the lowest; a lookback pays no less than the call.
#[test]
fn functionals_are_what_their_names_say() {
    let sheet = Sheet {
        parameters: vec![drawn("K")],
        ..payoff("average(K, weekly)").unwrap()
    };
    let program = Program::new(&sheet, &names(&["x"]), days(STEPS)).unwrap();
    let strikes: Lane<f64> = std::array::from_fn(|lane| 80.0 + 0.7 * lane as f64);
    let found = observe(&program, &spots(1, STEPS, 1), &[strikes], None);
    assert_eq!(found.payments[0], strikes);

    assert_eq!(paid("sum(1)", STEPS, 1), [STEPS as f64; BLOCK]);
    assert_eq!(paid("sum(observation, every(21))", STEPS, 1), [6.0; BLOCK]);
    assert_eq!(paid("count(S > 0, fixings(7))", STEPS, 1), [7.0; BLOCK]);
    assert_near(&paid("years", STEPS, 1), &[0.25; BLOCK], 1e-15);

    let [highest, mean, lowest] =
        ["highest(S)", "average(S)", "lowest(S)"].map(|text| paid(text, STEPS, 1));
    let (lookback, call) = (
        paid("max(highest(S) - K, 0)", STEPS, 1),
        paid("max(S - K, 0)", STEPS, 1),
    );
    for lane in 0..BLOCK {
        assert!(highest[lane] > mean[lane] && mean[lane] > lowest[lane]);
        assert!(lookback[lane] >= call[lane]);
    }
}

/// Logarithms of returns add up to that of the whole, whatever the schedule; squares of daily ones are what a swap on the
/// realised variance pays on.
#[test]
fn returns_telescope() {
    let whole = paid("ln(S / first(S))", STEPS, 2);
    for schedule in ["daily", "weekly", "monthly", "every(10)", "fixings(9)"] {
        let sum = paid(&format!("sum(ln(S / previous(S)), {schedule})"), STEPS, 2);
        assert_near(&sum, &whole, 1e-14);
    }
    let paths = spots(1, STEPS, 2);
    let variance = paid("sum(ln(S / previous(S)) ^ 2)", STEPS, 2);
    let expected = std::array::from_fn(|lane| {
        let spot = |t: usize| paths[0][t][lane];
        (1..=STEPS)
            .map(|t| (spot(t) / spot(t - 1)).ln().powi(2))
            .sum()
    });
    assert_near(&variance, &expected, 1e-15);
}

/// A digital is between the call spreads on either side of its strike, and differs from both only where the spot is as near
/// as they are wide.
#[test]
fn a_digital_is_the_limit_of_spreads() {
    let digital = paid("when(S > K, 1, 0)", STEPS, 6);
    let spot = paid("S", STEPS, 6);
    for width in [1.0, 1e-2, 1e-6] {
        let below = paid(
            &format!("(max(S - (K - {width}), 0) - max(S - K, 0)) / {width}"),
            STEPS,
            6,
        );
        let above = paid(
            &format!("(max(S - K, 0) - max(S - (K + {width}), 0)) / {width}"),
            STEPS,
            6,
        );
        for lane in 0..BLOCK {
            let rounding = 1e-13 / width;
            assert!(
                below[lane] >= digital[lane] - rounding && digital[lane] >= above[lane] - rounding
            );
            if (spot[lane] - 100.0).abs() > width {
                assert!((below[lane] - above[lane]).abs() < rounding);
            }
        }
    }
}

/// The autocallable of two indices, observed quarterly, by hand: one is called at the second date, one at the last, one never
/// and pays the worse index at expiry.
#[test]
fn an_autocallable_by_hand() {
    let worst = "min(S.spx / first(S.spx), S.dax / first(S.dax))";
    let called = format!("{worst} >= 1");
    let sheet = sheet([
        payment("quarterly", Some(&called), "100 + 2 * observation", true),
        payment("expiry", None, &format!("100 * {worst}"), false),
    ]);
    let grid = Grid::new(4, 0.25, 252.0);
    let program = Program::new(&sheet, &names(&["spx", "dax"]), grid).unwrap();
    assert_eq!(program.due(), [1, 2, 3, 4]);
    let rows: [[[f64; 5]; 2]; 3] = [
        [
            [4000.0, 4100.0, 4200.0, 3000.0, 3000.0],
            [100.0, 99.0, 100.0, 50.0, 50.0],
        ],
        [
            [4000.0, 3900.0, 4200.0, 3900.0, 4000.0],
            [100.0, 99.0, 98.0, 120.0, 130.0],
        ],
        [
            [4000.0, 3900.0, 4200.0, 3900.0, 5000.0],
            [100.0, 99.0, 98.0, 120.0, 75.0],
        ],
    ];
    let spots: Vec<Vec<Lane<f64>>> = (0..2)
        .map(|asset| {
            let at = |t: usize| std::array::from_fn(|lane| rows[lane % 3][asset][t]);
            (0..5).map(at).collect()
        })
        .collect();
    let found = observe(&program, &spots, &[], None);
    let path = |lane: usize| -> Vec<f64> { found.payments.iter().map(|row| row[lane]).collect() };
    assert_eq!(path(0), [0.0, 104.0, 0.0, 0.0]);
    assert_eq!(path(1), [0.0, 0.0, 0.0, 108.0]);
    assert_eq!(path(2), [0.0, 0.0, 0.0, 75.0]);
    assert_eq!(found.end[..3], [2, 4, 4]);
}

/// Running values are those of the functional on every date, and at the sale what it is before any date.
#[test]
fn the_state_is_the_running_value() {
    let text = "max(average(S, every(2)) - K, 0) + sum(S / previous(S, every(2)) - 1, every(2)) + count(S > 100) + when(all(S > 90), 1, 0)";
    let program = Program::new(&payoff(text).unwrap(), &names(&["x"]), days(4)).unwrap();
    let labels: Vec<&str> = program.accumulators().iter().map(String::as_str).collect();
    assert_eq!(
        labels,
        [
            "average(S, every(2))",
            "previous(S, every(2))",
            "sum(S / previous(S, every(2)) - 1, every(2))",
            "count(S > 100)",
            "all(S > 90)"
        ]
    );
    let spot = [100.0, 110.0, 99.0, 89.0, 120.0];
    let paths = vec![spot.map(|spot| [spot; BLOCK]).to_vec()];
    let found = observe(&program, &paths, &[], None);
    let state =
        |index: usize| -> Vec<f64> { found.state[index].iter().map(|row| row[0]).collect() };
    assert_eq!(state(0), [100.0, 100.0, 99.0, 99.0, 109.5]);
    assert_eq!(state(1), [100.0, 100.0, 99.0, 99.0, 120.0]);
    let two = 99.0 / 100.0 - 1.0;
    assert_eq!(state(2), [0.0, 0.0, two, two, two + (120.0 / 99.0 - 1.0)]);
    assert_eq!(state(3), [0.0, 1.0, 1.0, 1.0, 2.0]);
    assert_eq!(state(4), [1.0, 1.0, 1.0, 0.0, 0.0]);
}

/// A path with a life of its own pays what it pays alone on a grid of that length.
#[test]
fn a_life_of_its_own_is_a_shorter_grid() {
    let worst = sheet([
        payment(
            "every(4)",
            Some("S > 1.08 * first(S)"),
            "5 + observation",
            true,
        ),
        payment(
            "expiry",
            None,
            "average(S, fixings(3)) + years + sum(S - previous(S), weekly)",
            false,
        ),
    ]);
    let paths = spots(1, 20, 8);
    let grid = Grid {
        shortest: 4,
        ..days(20)
    };
    let program = Program::new(&worst, &names(&["x"]), grid).unwrap();
    assert_eq!(program.due(), (4..=20).collect::<Vec<_>>());
    let life: [usize; BLOCK] = std::array::from_fn(|lane| 4 + lane % 17);
    let found = observe(&program, &paths, &[], Some(&life));
    for lane in 0..BLOCK {
        let steps = life[lane];
        let own = Program::new(&worst, &names(&["x"]), days(steps)).unwrap();
        let alone = observe(&own, &[paths[0][..=steps].to_vec()], &[], None);
        assert_eq!(found.end[lane], alone.end[lane]);
        for (row, t) in program.due().iter().enumerate() {
            let place = own.due().iter().position(|due| due == t);
            let expected = place.map_or(0.0, |place| alone.payments[place][lane]);
            assert_eq!(
                found.payments[row][lane], expected,
                "path {lane} of life {steps}, date {t}"
            );
        }
        for (state, alone) in found.state.iter().zip(&alone.state) {
            for t in 0..=20 {
                assert_eq!(state[t][lane], alone[t.min(steps)][lane]);
            }
        }
    }
}

/// What is not a number reaches the payment through maxima and comparisons, and is an error at the setting; where a path
/// does not need it, it pays.
#[test]
fn what_is_not_a_number_is_an_error() {
    let observed = |text: &str| {
        let program = Program::new(&payoff(text).unwrap(), &names(&["x"]), days(2)).unwrap();
        let spots = vec![[100.0_f64; BLOCK], [90.0; BLOCK], [95.0; BLOCK]];
        let mut payments = vec![[0.0; BLOCK]];
        let out = Observed {
            payments: &mut payments,
            end: &mut [],
            state: &mut vec![[0.0; BLOCK]; 3 * program.accumulators().len()],
        };
        (
            program.observe(Spots::new(&spots, 3, 3), &[], None, out),
            payments[0][0],
        )
    };
    for text in [
        "max(ln(S - K), 0)",
        "when(sqrt(S - K) > 1, 1, 2)",
        "highest(1 / (S - 90))",
    ] {
        let (result, paid) = observed(text);
        assert!(!paid.is_finite());
        assert_eq!(
            result.unwrap_err().to_string(),
            "`contract.payoff` is not a finite number on date 2 of a path"
        );
    }
    let (result, paid) = observed("when(S > K, ln(S - K), 7)");
    assert!(result.is_ok());
    assert_eq!(paid, 7.0);
}
