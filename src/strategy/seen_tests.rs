//! Features of the smile against their formulas, and the scales of inputs.

use crate::contract::OptionKind;
use crate::market::Paths;
use crate::pricing::BlackScholes;
use crate::random::Purpose;
use crate::simd::BLOCK;
use crate::strategy::Plan;

fn plan(policy: &str) -> Plan {
    let text = format!(
        r#"
[market]
model = "heston"
v0 = 0.04
kappa = 2.0
theta = 0.06
sigma = 0.5
rho = -0.6
rate = 0.03
[contract]
strike = 103.0
expiry_days = 10
days_per_year = 252
[policy]
hidden = 3
instruments = ["spot", {{ type = "call", strike = 98.0, expiry_days = 30 }}]
{policy}
"#
    );
    Plan::parse(&text, |_| {}).unwrap()
}

fn paths(plan: &Plan, count: usize) -> Paths<f64> {
    let quotes = plan.quotes().unwrap();
    plan.simulator(5, Purpose::Evaluation)
        .paths_with(&quotes, 0, count)
}

/// Each feature equals its formula at every date, with F, σ and vegas by hand.
#[test]
fn features_of_the_smile_are_their_formulas() {
    let plan = plan(
        "features = [\"smile_moneyness\", \"log_time_left\", \"log_volatility\", \"log_one_month\", \"vega_ratio\"]",
    );
    let paths = paths(&plan, BLOCK);
    let block = paths.block(0);
    let process = plan.market.model.variance_process();
    let mut seen = Vec::new();
    for t in 0..10 {
        plan.features.at(&block, t, &mut seen);
        let left = (10 - t) as f64 / 252.0;
        let later = left + 20.0 / 252.0;
        for lane in 0..BLOCK {
            let (spot, variance) = (block.spot[t][lane], block.variance[t][lane]);
            let volatility = process.mean_from(variance, left).sqrt();
            let vega = |strike: f64, years: f64| {
                BlackScholes {
                    spot,
                    strike,
                    rate: 0.03,
                    dividend: 0.0,
                    volatility: process.mean_from(variance, years).sqrt(),
                    expiry: years,
                    kind: OptionKind::Call,
                }
                .vega()
            };
            let expected = [
                ((spot / 103.0).ln() + 0.03 * left) / (volatility * left.sqrt()),
                (12.0 * left).ln(),
                (volatility / 0.2).ln(),
                (variance.sqrt() / 0.2).ln(),
                vega(103.0, left) / vega(98.0, later),
            ];
            for (seen, expected) in seen.iter().zip(expected) {
                let expected = expected.clamp(-10.0, 10.0);
                assert!(
                    (seen[lane] - expected).abs() < 1e-6,
                    "{t} {lane}: {} {expected}",
                    seen[lane]
                );
            }
        }
    }
}

/// Standardised inputs have mean 0 and deviation 1 on the paths that the scales were measured on, whoever asks; a bound cuts them off,
/// and what is held from the date before is left as it is.
#[test]
fn inputs_are_standardised_and_bounded() {
    let features =
        "features = [\"log_moneyness\", \"delta\", \"log_time_left\", \"previous_position\"]";
    let plain = plan(features);
    assert!(plain.seen().unwrap().standards.is_empty());
    let scaled = plan(&format!("{features}\nstandardise = true"));
    let seen = scaled.seen().unwrap();
    assert_eq!(seen.standards.len(), 3);
    assert_eq!(scaled.clone().seen().unwrap(), seen);
    let source = scaled.simulator(0, Purpose::Unit);
    let paths = source.paths_with::<f32>(&scaled.quotes().unwrap(), 0, 4096);
    let again = seen.unscaled().standards_on(&paths);
    assert_eq!(again, seen.standards);
    let mut rows = Vec::new();
    let (mut sums, mut count) = ([[0.0; 2]; 3], 0.0);
    for block in 0..paths.blocks() {
        for t in 0..paths.steps() {
            seen.at(&paths.block(block), t, &mut rows);
            assert_eq!(rows.len(), 3);
            for (sums, row) in sums.iter_mut().zip(&rows) {
                sums[0] += row.iter().sum::<f64>();
                sums[1] += row.iter().map(|x| x * x).sum::<f64>();
            }
            count += BLOCK as f64;
        }
    }
    for [sum, square] in sums {
        assert!((sum / count).abs() < 1e-5, "{sum} {count}");
        assert!((square / count - 1.0).abs() < 1e-4, "{square} {count}");
    }
    let bounded = plan(&format!(
        "{features}\nstandardise = true\nfeature_bound = 1.5"
    ));
    let bounded = bounded.seen().unwrap();
    let (mut all, mut cut) = (Vec::new(), 0);
    for t in 0..paths.steps() {
        seen.at(&paths.block(0), t, &mut rows);
        bounded.at(&paths.block(0), t, &mut all);
        for (free, bounded) in rows.as_flattened().iter().zip(all.as_flattened()) {
            assert_eq!(*bounded, free.clamp(-1.5, 1.5));
            cut += usize::from(bounded != free);
        }
    }
    assert!(cut > 0);
}

/// What a market, a contract or the instruments cannot show is refused at its key.
#[test]
fn features_that_nobody_knows_are_refused() {
    let refused = |text: &str| {
        Plan::parse(text, |_| {})
            .map(|_| ())
            .map_err(|error| error.to_string())
            .unwrap_err()
    };
    let call = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\n";
    let features = |name: &str| format!("{call}[policy]\nfeatures = [\"{name}\"]");
    assert_eq!(
        refused(&features("vega_ratio")),
        "`policy.features`: \"vega_ratio\" needs an option in `policy.instruments`"
    );
    let surface = Plan::parse(&features("surface_slope"), |_| {}).unwrap();
    assert_eq!(
        surface.quotes().unwrap_err().to_string(),
        "`policy.features`: \"surface_slope\" needs a market with a volatility surface"
    );
    let band = |keys: &str| format!("{call}[policy]\naction = \"centred_band\"\n{keys}");
    assert_eq!(
        refused(&band("centre_scale = [0.3, 1.0]")),
        "`policy.centre_scale` must be a number, or a list of 1, one for every instrument, was a list of 2"
    );
    assert_eq!(
        refused(&band("band_width = [-1.0]")),
        "`policy.band_width` must be positive, was -1"
    );
    let risk = |terms: &str| format!("{call}[risk]\nmeasure = \"weighted_sum\"\nterms = {terms}");
    assert_eq!(
        refused(&risk("[]")),
        "`risk.terms` must be a list of 1 to 6, was 0"
    );
    assert_eq!(
        refused(&risk("[{ measure = \"cvar\", weight = 0.0 }]")),
        "`risk.terms.weight` must be positive, was 0"
    );
    assert_eq!(
        refused(&risk("[{ measure = \"standard_deviation\", level = 0.9 }]")),
        "`risk.terms`: `level` has a meaning for \"cvar\" alone"
    );
    let plan = Plan::parse(
        &risk("[{ measure = \"cvar\", weight = 0.5 }, { measure = \"standard_deviation\" }]"),
        |_| {},
    )
    .unwrap();
    assert_eq!(plan.risk.to_string(), "0.5 CVaR 95 % + standard deviation");
    let again = Plan::parse(&plan.to_toml().unwrap(), |_| {}).unwrap();
    assert_eq!(again.risk, plan.risk);
}
