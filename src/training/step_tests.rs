use super::super::Simulated;
use super::*;

const PROBLEM: &str = r#"
seed = 5
[market]
model = "heston"
v0 = 0.04
kappa = 1.0
theta = 0.04
sigma = 1.0
rho = -0.7
[contract]
expiry_days = 5
days_per_year = 252
[costs]
proportional = 0.001
[risk]
measure = "entropic"
aversion = 1.0
[policy]
hidden = 3
[training]
paths = 256
validation_paths = 32
thinning = 1.0
[optimizers.adam]
"#;

/// Over 2,000 samples of backward sweeps the gradient of the network is on average that of sweeping every path back, in all of its entries
/// within 5.5 standard errors, while fewer than two thirds of the paths are swept.
#[test]
fn a_thinned_gradient_is_the_whole_one_on_average() {
    const SAMPLES: usize = 2_000;
    let plan = Plan::parse(PROBLEM, |_| {}).unwrap();
    let simulated = Simulated::new(&plan, plan.seed);
    let source = simulated.sources().training;
    let unit = plan.money_unit();
    let mut step = Step::new(&plan, &plan.optimizers[0], source, 0, unit).unwrap();
    let parameters = Parameters::random(plan.shape.maps(), plan.seed).unwrap();
    let (masses, premiums) = step.choose(0).unwrap();
    let pnl = step
        .pnl(&parameters, &step.paths, premiums.as_deref())
        .unwrap();
    let risk = plan.risk.evaluate_weighted(&pnl, &masses);
    let hedge = Hedge {
        sweep: step.sweep.as_ref(),
        parameters: &parameters,
        features: &step.features,
        ledger: &step.smoothed,
        unit,
    };
    let entries = |weights: &[f64]| -> Vec<f64> {
        let gradient = hedge.risk_gradient(&step.paths, weights, None).unwrap();
        let maps = gradient.iter();
        maps.flat_map(|map| (0..map.nrows()).flat_map(|i| map.row(i).iter().copied()))
            .collect()
    };
    let whole = entries(&risk.weights);
    let (mut sums, mut squares, mut swept) = (vec![0.0; whole.len()], vec![0.0; whole.len()], 0);
    for sample in 0..SAMPLES {
        let mut weights = risk.weights.clone();
        let mut shares = vec![0.0; weights.len()];
        swept += step.thin((&risk.weights, sample), &mut weights, &mut shares);
        for (i, (thinned, whole)) in entries(&weights).iter().zip(&whole).enumerate() {
            sums[i] += thinned - whole;
            squares[i] += (thinned - whole).powi(2);
        }
    }
    assert!(3 * swept < 2 * SAMPLES * pnl.len(), "{swept}");
    let n = SAMPLES as f64;
    for i in 0..whole.len() {
        let (mean, square) = (sums[i] / n, squares[i] / n);
        let error = ((square - mean * mean) / n).sqrt();
        assert!(
            mean.abs() < 5.5 * error + 1e-9,
            "entry {i}: {} and {mean} more, {error}",
            whole[i]
        );
        // A sample that takes all paths, or always the same ones, has no error.
        assert!(error > 0.0 || whole[i] == 0.0, "entry {i}");
    }
}
