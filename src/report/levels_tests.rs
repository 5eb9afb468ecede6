use super::*;

/// Ends of a method whose risk falls by `slope` with every doubling of its steps, plus an offset by seed.
fn method(strategy: &str, slope: f64, pace: f64) -> Vec<Ending> {
    let mut endings = Vec::new();
    for length in [50, 100, 400] {
        for seed in 1..=10 {
            let risk = 5.0 - slope * (length as f64).log2() + 0.01 * seed as f64;
            endings.push(Ending {
                strategy: strategy.into(),
                seed: Some(seed),
                length: Some(length),
                parameter: None,
                steps: Some(length),
                seconds: Some(pace * length as f64),
                risk,
                cvar: risk,
                pnl_mean: 0.0,
                pnl_variance: 1.0,
                cost_mean: 1.0,
                sharpe: 0.0,
            });
        }
    }
    endings
}

/// A method reaches its own level exactly where it was measured. On risks linear in the logarithm of the steps,
/// the interpolation is exact: 5 − .2 log₂ n comes to 5 − .1 log₂ 400 at n = √400.
#[test]
fn interpolation_is_exact_on_a_line_in_log_steps() {
    let slow = &lengths(&method("slow", 0.1, 0.01))[0];
    let fast = &lengths(&method("fast", 0.2, 0.02))[0];
    let Some(Reached::At {
        steps,
        seconds,
        low,
        high,
    }) = reached(slow, slow.at(100).unwrap())
    else {
        panic!("not reached")
    };
    assert!((steps - 100.0).abs() < 1e-9 && (seconds - 1.0).abs() < 1e-9);
    // The same seeds on both sides: no spread.
    assert!((low - 100.0).abs() < 1e-9 && (high - 100.0).abs() < 1e-9);
    let target = Point {
        risks: slow
            .at(400)
            .unwrap()
            .risks
            .iter()
            .map(|(s, r)| (*s, r - 0.2 * 2.0))
            .collect(),
        ..slow.at(400).unwrap().clone()
    };
    // 5 − .2 log₂ n = 5 − .1 log₂ 400 − .4, n = 4 √400.
    let Some(Reached::At { steps, seconds, .. }) = reached(fast, &target) else {
        panic!("not reached")
    };
    assert!((steps - 80.0).abs() < 1e-9, "{steps}");
    assert!((seconds - 1.6).abs() < 1e-9);
}

/// Levels outside of what was measured are not extrapolated.
#[test]
fn what_was_not_measured_is_said() {
    let slow = &lengths(&method("slow", 0.1, 0.01))[0];
    let fast = &lengths(&method("fast", 0.2, 0.02))[0];
    let reach = reached(slow, fast.at(400).unwrap());
    assert_eq!(
        reach,
        Some(Reached::NotWithin {
            steps: 400.0,
            seconds: 4.0
        })
    );
    let reach = reached(fast, slow.at(50).unwrap());
    assert_eq!(
        reach,
        Some(Reached::Within {
            steps: 50.0,
            seconds: 1.0
        })
    );
    assert_eq!(slow.after(0.4), None);
    assert_eq!(slow.after(4.3), None);
    assert_eq!(slow.after(4.1).as_ref(), Some(&slow.points[2].risks));
}

/// After 2 s the slow method has taken 200 steps: 5 − .1 log₂ 200, and the offset of the seed.
#[test]
fn risks_are_interpolated_in_log_seconds() {
    let slow = &lengths(&method("slow", 0.1, 0.01))[0];
    let risks = slow.after(2.0).unwrap();
    assert!((risks[&3] - (5.0 - 0.1 * 200f64.log2() + 0.03)).abs() < 1e-9);
    assert!((slow.steps_in(2.0).unwrap() - 200.0).abs() < 1e-9);
}

/// Seeds that differ in their pace spread the interval around the estimate.
#[test]
fn the_interval_covers_the_estimate() {
    let mut endings = method("noisy", 0.1, 0.01);
    for ending in &mut endings {
        let seed = ending.seed.unwrap() as f64;
        ending.risk += 0.02 * (seed * 7.0 + ending.length.unwrap() as f64).sin();
    }
    let noisy = &lengths(&endings)[0];
    let target = &lengths(&method("slow", 0.09, 0.01))[0].points[2].clone();
    let Some(Reached::At {
        steps, low, high, ..
    }) = reached(noisy, target)
    else {
        panic!("not reached")
    };
    assert!(low < steps && steps < high, "{low} {steps} {high}");
}
