//! Training knows no currency: whatever the optimizer's defaults, money times c gives the same weights and P&L times c.

use super::*;
use crate::optimizer::Method;
use faer::Mat;

/// A slightly out-of-the-money call in four dates, hedged by three units; `c` is what one unit of money is worth in another.
fn plan(method: &str, risk: &str, c: f64) -> Plan {
    let (spot, strike, half_spread, fixed) = (100.0 * c, 102.0 * c, 0.05 * c, 0.01 * c);
    let text = format!(
        r#"
seed = 3
[market]
model = "gbm"
volatility = 0.3
spot = {spot}
[contract]
strike = {strike}
expiry_days = 4
days_per_year = 252
[costs]
proportional = 0.001
half_spread = {half_spread}
fixed = {fixed}
quadratic = 0.001
# Narrower jumps make roundings grow.
smoothing = 0.3
smoothing_end = 0.3
[risk]
{risk}
[policy]
hidden = 3
[training]
steps = 14
paths = 64
validation_paths = 64
validation_period = 14
[optimizers.{method}]
"#
    );
    Plan::parse(&text, |_| {}).unwrap()
}

/// The weights after the training, and the P&L of every validation path.
fn trained(plan: &Plan) -> (Vec<Mat<f64>>, Vec<f64>) {
    let optimizer = &plan.optimizers[0];
    let simulated = Simulated::new(plan, plan.seed);
    let initial = Parameters::random(plan.shape.maps(), plan.seed).unwrap();
    let mut training = Training::new(plan, optimizer, simulated.sources(), initial).unwrap();
    while !training.is_over() {
        training.advance().unwrap();
    }
    let (paths, _) = training.validation.as_ref().unwrap();
    let pnl = training
        .step
        .pnl(&training.parameters, paths, None)
        .unwrap();
    (training.parameters.matrices().unwrap(), pnl)
}

/// The greatest distance of weights, and of P&L in units of money, between the problem and the problem with money times `c`.
fn distance(plan: impl Fn(f64) -> Plan, c: f64) -> f64 {
    let ((weights, pnl), unit) = (trained(&plan(1.0)), plan(1.0).money_unit());
    let (scaled_weights, scaled_pnl) = trained(&plan(c));
    let weights = weights.iter().zip(&scaled_weights);
    let weights = weights.map(|(a, b)| (a - b).norm_max());
    let pnl = pnl.iter().zip(&scaled_pnl);
    let pnl = pnl.map(|(z, scaled)| (z - scaled / c).abs() / unit);
    weights.chain(pnl).fold(0.0, f64::max)
}

const CVAR: &str = "level = 0.5";

/// A power of two changes no rounding: the bits are the same, from a ten-thousandth to a thousandfold.
#[test]
fn powers_of_two_give_the_same_bits_for_every_method() {
    for (method, _) in Method::ALL {
        for c in [2f64.powi(-14), 1024.0] {
            let distance = distance(|c| plan(method, CVAR, c), c);
            assert_eq!(distance, 0.0, "{method}, money × {c}");
        }
    }
}

/// Any other factor changes roundings of single precision alone: no more than a factor does that is 1 but for a millionth.
/// They count for most in SOAP, whose bases are made of rounding where its moments have no rank.
#[test]
fn any_factor_gives_the_same_weights_for_every_method() {
    for (method, _) in Method::ALL {
        let distance = |c| distance(|c| plan(method, CVAR, c), c);
        let (far, near) = (distance(600.0), distance(1.000_001));
        assert!(
            far < 1e-3 + 5.0 * near && far < 0.2,
            "{method}: {far:e} {near:e}"
        );
    }
}

/// An aversion is one over money: with the aversion over c, money times c gives the same bits under every measure, with the
/// measure's own curvature, steps by the quadratic model and adapted damping too.
#[test]
fn aversions_are_one_over_money() {
    let controls = "weights = \"measure\"\nstep_rule = \"quadratic\"\ndamping_rule = \"levenberg_marquardt\"\ncentred = true";
    let alone = |measure: &str, aversion: f64| match measure {
        "weighted_sum" => format!(
            "measure = \"weighted_sum\"\nterms = [{{ measure = \"cvar\", level = 0.5, weight = 0.5 }}, {{ measure = \"standard_deviation\" }}, {{ measure = \"entropic\", aversion = {aversion:?}, weight = 2.0 }}]"
        ),
        "standard_deviation" => "measure = \"standard_deviation\"".to_owned(),
        _ => format!("measure = \"{measure}\"\naversion = {aversion:?}"),
    };
    for measure in [
        "entropic",
        "mean_variance",
        "monotone_mean_variance",
        "standard_deviation",
        "weighted_sum",
    ] {
        for method in [
            "adam".to_string(),
            format!("kfac]\n{controls}\n[optimizers.adam"),
        ] {
            let plan = |c: f64| {
                let risk = alone(measure, 0.5 / c);
                plan(&method, &risk, c)
                    .with_optimizers(|name| name == "kfac" || !method.contains("kfac"))
                    .unwrap()
            };
            let distance = distance(plan, 4096.0);
            assert_eq!(distance, 0.0, "{measure}, {method}");
        }
    }
}
