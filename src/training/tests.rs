//! The gradient of the risk, all the way from weights to ρ, against central differences.

use super::Hedge;
use crate::contract::{Contract, Costs, Instrument, OptionKind};
use crate::hedging::Ledger;
use crate::market::{BenchmarkHedge, Market, Model, Paths, Quotes, Simulator};
use crate::network::{
    Action, Actor, Band, CentredBand, Engine, Feature, Features, Head, LstmShape, Parameters,
    Record, Residual, Shape, Sweep,
};
use crate::pricing::HestonParameters;
use crate::random::Purpose;
use crate::risk::{Evaluation, Measure, Risk, Term};
use crate::simd::{BLOCK, Lane};
use faer::Mat;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

fn contract() -> Contract {
    Contract::option(OptionKind::Call, 101.0, 8.0 / 252.0, 8)
}

/// Half the distance of a central difference.
const BUMP: f64 = 1e-6;

/// A hedge that holds half a share and a bit more the higher the spot.
#[derive(Debug)]
struct Halves;

impl BenchmarkHedge for Halves {
    fn positions(&self, paths: &Paths<f64>, dates: Range<usize>) -> Vec<Lane<f64>> {
        let spots = |block| paths.block(block).spot[dates.clone()].to_vec();
        let spots = (0..paths.blocks()).flat_map(spots);
        spots
            .map(|spot| spot.map(|spot| 0.5 + 0.1 * (spot - 100.0)))
            .collect()
    }
}

struct Problem {
    market: Market,
    simulator: Simulator,
    ledger: Ledger,
    risk: Risk,
    features: Features,
    sweep: Box<dyn Sweep<f64>>,
    paths: Paths<f64>,
}

/// The risk at some weights, and the side of every kink that they are on.
struct Point {
    evaluation: Evaluation,
    /// How δ_t compares with δ_{t−1}, and the first and the last position with 0, path by path.
    trades: Vec<Option<Ordering>>,
}

impl Problem {
    fn new(shape: Shape, risk: Risk, liquidation: bool) -> Self {
        Self::under(Actor::direct(1), shape, risk, liquidation)
    }

    fn under(actor: Actor, shape: Shape, risk: Risk, liquidation: bool) -> Self {
        let market = Market {
            model: Model::from(HestonParameters {
                v0: 0.04,
                kappa: 1.5,
                theta: 0.04,
                sigma: 0.3,
                rho: -0.7,
            }),
            spot: 100.0,
            rate: 0.03.into(),
            dividend: 0.01.into(),
        };
        let costs = Costs {
            spot: 0.01.into(),
            liquidation,
        };
        let simulator = Simulator {
            assets: market.clone().into(),
            steps: contract().steps,
            dt: contract().dt(),
            seed: 21,
            purpose: Purpose::Training,
            sampling: crate::random::Sampling::Pseudorandom,
            family: None,
        };
        let quotes = Quotes::new(&market.clone().into(), &contract(), &[Instrument::SPOT])
            .hedged_by(Arc::new(Halves));
        Self {
            market: market.clone(),
            simulator: simulator.clone(),
            ledger: Ledger::new(
                contract(),
                costs,
                &market,
                market.price(contract().legs().unwrap(), contract().expiry),
            ),
            risk,
            features: Features {
                list: Feature::USUAL.to_vec(),
                strike: contract().strike,
                volatility: 0.2,
                expiry: contract().expiry,
                instruments: 1,
                ..Features::default()
            },
            sweep: shape.sweep(Engine::Block, actor),
            // Not whole blocks; the tail of CVaR below ends within a path.
            paths: quotes.onto(simulator.paths(0, 210)),
        }
    }

    fn at(&self, parameters: &Parameters) -> Point {
        let positions = self
            .sweep
            .forward(parameters, &self.features, &self.paths)
            .unwrap();
        let (mut pnl, mut trades) = (Vec::new(), Vec::new());
        for (block, positions) in positions.chunks_exact(contract().steps).enumerate() {
            let active = self.paths.active(block);
            let settled = self.ledger.settle(&self.paths.block(block), positions);
            pnl.extend_from_slice(&settled.pnl[..active]);
            for lane in 0..active {
                let trade = |d: &[Lane<f64>]| d[1][lane].partial_cmp(&d[0][lane]);
                trades.extend(positions.windows(2).map(trade));
                let ends = [positions[0], positions[contract().steps - 1]];
                trades.extend(ends.map(|d| d[lane].partial_cmp(&0.0)));
            }
        }
        Point {
            evaluation: self.risk.evaluate(&pnl),
            trades,
        }
    }

    fn hedge<'a>(&'a self, parameters: &'a Parameters) -> Hedge<'a, f64> {
        Hedge {
            sweep: self.sweep.as_ref(),
            parameters,
            features: &self.features,
            ledger: &self.ledger,
            unit: 1.0,
        }
    }

    /// The gradient that a training step computes.
    fn gradient(&self, parameters: &Parameters, weights: &[f64]) -> Vec<Mat<f64>> {
        let hedge = self.hedge(parameters);
        hedge.risk_gradient(&self.paths, weights, None).unwrap()
    }

    /// [ρ(W + BUMP·d) − ρ(W − BUMP·d)] / (2 BUMP), where both ends lie on the same side of every kink.
    fn difference(&self, shape: Shape, centre: &[Mat<f64>], direction: &[Mat<f64>]) -> f64 {
        let [up, down] = [BUMP, -BUMP].map(|step| {
            let moved = centre
                .iter()
                .zip(direction)
                .map(|(w, d)| w + faer::Scale(step) * d);
            self.at(&Parameters::new(shape.maps(), moved.collect()).unwrap())
        });
        assert!(up.trades == down.trades, "a trade changes its sign");
        if self.risk.cvar_level().is_some() {
            let same = up.evaluation.weights == down.evaluation.weights;
            assert!(same, "the tail changes its members");
        }
        (up.evaluation.value - down.evaluation.value) / (2.0 * BUMP)
    }
}

/// ∂ρ/∂W for CVaR, entropic risk, mean–variance, its monotone form and a sum with the standard deviation, with proportional costs, with and without the position held
/// among the features, and with positions beside those of a benchmark, equals the central difference,
/// relative to its norm, over all single weights and along random directions.
///
/// The bound 1e-6 holds because ρ has kinks only where a trade δ_t − δ_{t−1} changes its sign or, for CVaR,
/// where the tail changes its members or their order at its end; or an edge of a band passes the position held, where a trade begins; between those it is an analytic function of
/// the weights. Each difference checks that neither happens between its two ends. With a bump h = 1e-6 the
/// truncation h²ρ‴/6 is below 1e-11 and the rounding of ρ, ε|ρ|/h, below 1e-8 for a ρ of order 10.
#[test]
fn risk_gradient_equals_central_differences() {
    let risks = [
        Risk::cvar(0.925),
        Measure::Entropic { aversion: 0.3 }.into(),
        Measure::MeanVariance { aversion: 0.3 }.into(),
        Measure::MonotoneMeanVariance { aversion: 0.3 }.into(),
        Risk::sum(&[
            Term {
                weight: 0.5,
                measure: Measure::Entropic { aversion: 0.3 },
            },
            Term {
                weight: 1.0,
                measure: Measure::StandardDeviation,
            },
        ]),
    ];
    let band = Action::from(Band::beginning_at(0.05));
    let centred = Action::from(CentredBand {
        centre_scale: 0.5,
        curvature_scale: 0.0,
        width: 0.05,
        widest: 1.0,
        cost_widths: false,
        leak: 0.0,
    });
    for (layers, hidden, action, feedback) in [
        (1, 4, Action::default(), false),
        (2, 3, Action::default(), false),
        (1, 4, Action::default(), true),
        (2, 3, Action::default(), true),
        (1, 4, Residual.into(), true),
        (1, 4, band, true),
        (1, 4, centred, true),
    ] {
        let actor = Actor::new(action, 1);
        let shape = Shape::from(LstmShape {
            features: if feedback { 4 } else { 3 },
            hidden,
            layers,
            head: actor.head(feedback),
            layer_normalisation: false,
        });
        let mut maps = shape.maps();
        maps.iter_mut().for_each(|map| map.bound = 0.5);
        let weights = Parameters::random(maps, 17).unwrap().matrices().unwrap();
        let parameters = Parameters::new(shape.maps(), weights).unwrap();
        let centre = parameters.matrices().unwrap();
        for risk in risks {
            for liquidation in [false, true] {
                let mut problem = Problem::under(actor.clone(), shape, risk, liquidation);
                if feedback {
                    problem.features.list.push(Feature::PreviousPosition);
                }
                let weights = problem.at(&parameters).evaluation.weights;
                let gradient = problem.gradient(&parameters, &weights);

                let (mut error, mut size) = (0.0, 0.0);
                for map in 0..centre.len() {
                    for row in 0..centre[map].nrows() {
                        for column in 0..centre[map].ncols() {
                            let mut single = crate::linalg::scaled(&centre, 0.0);
                            single[map][(row, column)] = 1.0;
                            let expected = problem.difference(shape, &centre, &single);
                            error += (gradient[map][(row, column)] - expected).powi(2);
                            size += expected.powi(2);
                        }
                    }
                }
                let error = (error / size).sqrt();
                assert!(error < 1e-6, "{risk:?}, {liquidation}: {error:e}");

                for seed in 0..4 {
                    let direction = Parameters::random(shape.maps(), 100 + seed).unwrap();
                    let direction = direction.matrices().unwrap();
                    let expected = problem.difference(shape, &centre, &direction);
                    let found = crate::linalg::inner(&gradient, &direction);
                    let error = (found - expected).abs() / size.sqrt();
                    assert!(error < 1e-6, "{risk:?}, {liquidation}: {error:e}");
                }
            }
        }
    }
}

/// Sweeping back the paths of the tail alone gives the gradient of a sweep over all paths in which the others
/// have weight zero: they are the same sum, so it differs by rounding only.
#[test]
fn gradient_of_the_tail_equals_that_of_all_paths() {
    for (layers, hidden) in [(1, 4), (2, 3)] {
        let shape = Shape::from(LstmShape {
            features: 3,
            hidden,
            layers,
            head: Head::positions(1),
            layer_normalisation: false,
        });
        let parameters = Parameters::random(shape.maps(), 17).unwrap();
        let problem = Problem::new(shape, Risk::cvar(0.925), true);
        let weights = problem.at(&parameters).evaluation.weights;
        let tail = weights.iter().filter(|&&weight| weight != 0.0).count();
        assert!(tail > 0 && tail < BLOCK, "{tail} paths in the tail");
        let found = problem.gradient(&parameters, &weights);

        let seeds = |block: usize, positions: &[Lane<f64>], out: &mut [Lane<f64>]| {
            let paths = problem.paths.block(block);
            problem.ledger.derivative(&paths, positions, out);
            for lane in 0..BLOCK {
                let weight = weights.get(block * BLOCK + lane).copied().unwrap_or(0.0);
                out.iter_mut().for_each(|seed| seed[lane] *= weight);
            }
        };
        let expected = problem
            .sweep
            .gradient(&parameters, &problem.features, &problem.paths, &seeds)
            .unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            let error = (found - expected).norm_l2() / expected.norm_l2();
            assert!(error < 1e-12, "{error:e}");
        }
    }
}

/// What a step does when it records a sample: the sampled paths' part of the gradient from their record and the rest by a
/// sweep give the gradient of a sweep over all paths, also if no path of the rest has weight.
#[test]
fn gradient_of_a_recorded_sample_and_the_rest_is_the_whole() {
    let shape = Shape::from(LstmShape {
        features: 3,
        hidden: 4,
        layers: 1,
        head: Head::positions(1),
        layer_normalisation: false,
    });
    let parameters = Parameters::random(shape.maps(), 17).unwrap();
    let problem = Problem::new(shape, Measure::Entropic { aversion: 0.3 }.into(), true);
    let mut weights = problem.at(&parameters).evaluation.weights;
    for sampled in [64, 192] {
        if sampled == 192 {
            weights[192..].fill(0.0);
        }
        let expected = problem.gradient(&parameters, &weights);
        let sample = problem.paths.gather(&(0..sampled).collect::<Vec<_>>());
        let mut record = Record::default();
        problem
            .hedge(&parameters)
            .record(&sample, &mut record)
            .unwrap();
        let mut rest = weights.clone();
        rest[..sampled].fill(0.0);
        let rest = problem.gradient(&parameters, &rest);
        for (map, part) in record.gradient(&weights).iter().enumerate() {
            let error = (part + &rest[map] - &expected[map]).norm_l2() / expected[map].norm_l2();
            assert!(error < 1e-12, "{sampled} paths, map {map}: {error:e}");
        }
    }
}

/// The control variate has mean zero: over 20,000 paths the gradients with and without it differ by less than four
/// standard errors of their difference in every weight, and by some. Costs are part of the problem.
#[test]
fn control_variate_leaves_the_mean() {
    const BATCHES: usize = 100;
    let shape = Shape::from(LstmShape {
        features: 3,
        hidden: 2,
        layers: 1,
        head: Head::positions(1),
        layer_normalisation: false,
    });
    let parameters = Parameters::random(shape.maps(), 17).unwrap();
    let mut problem = Problem::new(shape, Risk::cvar(0.5), true);
    let martingale = Ledger::new(
        contract(),
        Costs {
            spot: 0.0.into(),
            liquidation: true,
        },
        &problem.market,
        0.0,
    );
    let mut differences: Vec<Vec<f64>> = Vec::new();
    for batch in 0..BATCHES {
        problem.paths = problem
            .simulator
            .paths(7 * batch as u64, 200)
            .under(&contract());
        let weights = problem.at(&parameters).evaluation.weights;
        let hedge = problem.hedge(&parameters);
        let shares = vec![1.0 / weights.len() as f64; weights.len()];
        let gradient = |martingale: Option<&Ledger>| {
            let martingale = martingale.map(|one| (one, shares.as_slice()));
            let gradient = hedge.risk_gradient(&problem.paths, &weights, martingale);
            gradient.unwrap()
        };
        let (with, without) = (gradient(Some(&martingale)), gradient(None));
        let entries = with.iter().zip(&without).flat_map(|(with, without)| {
            let difference = with - without;
            difference
                .col_iter()
                .flat_map(|column| column.iter().copied().collect::<Vec<_>>())
                .collect::<Vec<_>>()
        });
        differences.push(entries.collect());
    }
    let n = BATCHES as f64;
    for entry in 0..differences[0].len() {
        let mean = differences.iter().map(|d| d[entry]).sum::<f64>() / n;
        let square = differences.iter().map(|d| d[entry].powi(2)).sum::<f64>() / n;
        let error = ((square - mean * mean) / n).sqrt();
        assert!(
            mean.abs() < 4.0 * error && error > 0.0,
            "{entry}: {mean} {error}"
        );
    }
}
