//! The derivatives of every action against differences, alone and under a network.

use super::fixture::*;
use super::*;
use crate::contract::Charge;
use crate::market::BenchmarkHedge;
use crate::network::{
    Engine, Feature, Features, NetworkName, Parameters, Record, Shape, Sizes, Sweep,
};
use crate::simd::BLOCK;
use faer::Mat;

/// z = Σ_{t,i} c_{t,i} δ_{t,i}³/3, a number for every path.
fn value(positions: &[Lane<f64>]) -> Lane<f64> {
    std::array::from_fn(|lane| {
        let terms = positions.iter().enumerate();
        terms.map(|(i, p)| weight(i) * p[lane].powi(3) / 3.0).sum()
    })
}

/// ∂z/∂δ
fn slopes(positions: &[Lane<f64>], out: &mut [Lane<f64>]) {
    for (i, (position, out)) in positions.iter().zip(out).enumerate() {
        *out = position.map(|p| weight(i) * p * p);
    }
}

fn weight(index: usize) -> f64 {
    (1.0 + index as f64).sin()
}

const BUMP: f64 = 1e-5;

/// ∂z/∂y equals central differences for every output of every date, with two instruments whose positions depend, under a band, on
/// all outputs before.
#[test]
fn derivatives_go_back_through_the_positions_held() {
    const STEPS: usize = 5;
    let [swap, option] = [paths(BLOCK, STEPS), paths_of(&traded(), BLOCK, STEPS)];
    let cases = actors().into_iter().map(|actor| (actor, &swap));
    for (actor, paths) in cases.chain(anchored().into_iter().map(|actor| (actor, &option))) {
        let width = actor.head(false).outputs;
        let output = |t: usize, row: usize| {
            let number = |lane: usize| ((t * width + row) * 5 + lane * 3) as f64;
            std::array::from_fn(|lane| 0.8 * number(lane).sin() - 0.2)
        };
        let acted = |bumped: Option<(usize, usize, f64)>| {
            let mut hand = Hand::<f64>::new(&actor, STEPS);
            hand.see(&paths.block(0), 0..paths.steps());
            for t in 0..STEPS {
                for (row, out) in hand.output_mut(t).iter_mut().enumerate() {
                    *out = output(t, row);
                    if let Some((at, of, by)) = bumped
                        && (at, of) == (t, row)
                    {
                        out.iter_mut().for_each(|y| *y += by);
                    }
                }
            }
            hand.act_on(0..STEPS);
            hand
        };
        let mut hand = acted(None);
        let (positions, seeds) = hand.positions_and_seeds();
        slopes(positions, seeds);
        hand.pull_all_back();
        for t in 0..STEPS {
            for row in 0..width {
                let moved = |by: f64| value(acted(Some((t, row, by))).positions());
                let (up, down) = (moved(BUMP), moved(-BUMP));
                for lane in 0..BLOCK {
                    let difference = (up[lane] - down[lane]) / (2.0 * BUMP);
                    let found = hand.gradient(t)[row][lane];
                    let error = (difference - found).abs();
                    assert!(
                        error < 1e-8,
                        "{actor:?} {t} {row} {lane}: {difference} {found}"
                    );
                }
            }
        }
    }
}

/// Where the output is the position, neither positions nor derivatives change a bit.
#[test]
fn outputs_are_positions() {
    let mut hand = Hand::<f64>::new(&Actor::direct(1), 3);
    for t in 0..3 {
        hand.output_mut(t)[0] = std::array::from_fn(|lane| ((t * BLOCK + lane) as f64).sin());
    }
    hand.act_on(0..3);
    let (positions, seeds) = hand.positions_and_seeds();
    seeds.copy_from_slice(positions);
    hand.pull_all_back();
    for t in 0..3 {
        assert_eq!(hand.output(t)[0], hand.positions()[t]);
        assert_eq!(hand.gradient(t)[0], hand.positions()[t]);
    }
}

/// A network under an action.
struct Case {
    actor: Actor,
    features: Features,
    shape: Shape,
}

impl Case {
    fn new(network: NetworkName, actor: Actor, feedback: bool, steps: usize) -> Self {
        let mut list = Feature::USUAL.to_vec();
        if feedback {
            list.push(Feature::PreviousPosition);
        }
        let features = Features {
            list,
            strike: 100.0,
            volatility: 0.3,
            expiry: steps as f64 / 52.0,
            instruments: 2,
            ..Features::default()
        };
        let sizes = Sizes {
            inputs: features.inputs(),
            head: actor.head(feedback),
            hidden: 3,
            layers: 2,
            heads: 3,
            layer_normalisation: false,
        };
        Self {
            actor,
            features,
            shape: network.shape(sizes, &str::to_owned).unwrap(),
        }
    }

    /// Weights away from zero, where some actions begin.
    fn weights(&self) -> Vec<Mat<f64>> {
        let mut maps = self.shape.maps();
        maps.iter_mut().for_each(|map| map.bound = 0.9);
        let random = Parameters::random(maps, 12).unwrap();
        random.matrices().unwrap()
    }

    fn parameters(&self, weights: &[Mat<f64>]) -> Parameters {
        Parameters::new(self.shape.maps(), weights.to_vec()).unwrap()
    }

    fn sweep(&self, engine: Engine) -> Box<dyn Sweep<f64>> {
        self.shape.sweep(engine, self.actor.clone())
    }
}

/// Every network, fed its positions and not.
fn networks() -> impl Iterator<Item = (NetworkName, bool)> {
    NetworkName::all().flat_map(|network| [(network, false), (network, true)])
}

fn seed(_: usize, positions: &[Lane<f64>], out: &mut [Lane<f64>]) {
    slopes(positions, out);
}

/// The record under every action, with the positions held fed back and not: the derivative J_b of every path's z equals central
/// differences in every single weight of an LSTM, and is the same in both engines for every network.
#[test]
fn records_are_exact_under_every_action() {
    const STEPS: usize = 5;
    let [swap, option] = [paths(BLOCK, STEPS), paths_of(&traded(), BLOCK, STEPS)];
    let cases = actors().into_iter().map(|actor| (actor, &swap));
    for (actor, paths) in cases.chain(anchored().into_iter().map(|actor| (actor, &option))) {
        for (network, feedback) in networks() {
            let case = Case::new(network, actor.clone(), feedback, STEPS);
            let weights = case.weights();
            let parameters = case.parameters(&weights);
            let [block, tensor] = [Engine::Block, Engine::Tensor].map(|engine| {
                let mut record = Record::default();
                let sweep = case.sweep(engine);
                sweep
                    .record(&parameters, &case.features, paths, &seed, &mut record)
                    .unwrap();
                record
            });
            let gradient = case.sweep(Engine::Block);
            let gradient = gradient.gradient(&parameters, &case.features, paths, &seed);
            let sums = block.gradient(&[1.0; BLOCK]);
            let sweep = case.sweep(Engine::Block);
            for (map, gradient) in gradient.unwrap().iter().enumerate() {
                let size = gradient.norm_max().max(1.0);
                assert!(
                    (gradient - &sums[map]).norm_max() < 1e-12 * size,
                    "{actor:?}"
                );
                let derivatives: Vec<_> = (0..BLOCK)
                    .map(|path| block.path_derivative(map, path))
                    .collect();
                for (path, found) in derivatives.iter().enumerate() {
                    let error = (found - tensor.path_derivative(map, path)).norm_max();
                    let what = format!("{network:?}, {actor:?}, {feedback}: {error:e}");
                    // Positions of units without a bound grow from date to date, and z with their cubes.
                    assert!(error < 1e-10 * size.max(found.norm_max()), "{what}");
                }
                if network != NetworkName::Lstm {
                    continue;
                }
                for row in 0..weights[map].nrows() {
                    for column in 0..weights[map].ncols() {
                        let moved = |by: f64| {
                            let mut weights = weights.clone();
                            weights[map][(row, column)] += by;
                            let parameters = case.parameters(&weights);
                            let held = sweep.forward(&parameters, &case.features, paths);
                            value(&held.unwrap())
                        };
                        let (up, down) = (moved(BUMP), moved(-BUMP));
                        for (path, found) in derivatives.iter().enumerate() {
                            let difference = (up[path] - down[path]) / (2.0 * BUMP);
                            let error = (found[(row, column)] - difference).abs();
                            assert!(
                                error < 1e-8,
                                "{actor:?}, {feedback}, {map} {row} {column} {path}: {error:e}"
                            );
                        }
                    }
                }
            }
        }
    }
}

/// A policy whose head is zero is its benchmark, bit by bit, whatever its other weights are; one with a wide band never trades after
/// the sale, and one whose band has no width is its centre.
#[test]
fn untrained_policies_are_their_benchmarks() {
    const STEPS: usize = 6;
    let paths = paths(2 * BLOCK, STEPS);
    let held = |action: Action, (network, feedback)| {
        let case = Case::new(network, Actor::new(action, 2), feedback, STEPS);
        let parameters = Parameters::random(case.shape.maps(), 3).unwrap();
        let sweep = case.sweep(Engine::Block);
        sweep.forward(&parameters, &case.features, &paths).unwrap()
    };
    let benchmark = Slope.positions(&paths, 0..paths.steps());
    for network in networks() {
        assert_eq!(held(Residual.into(), network), benchmark);
        let wide = held(Band::beginning_at(50.0).into(), network);
        assert!(wide.iter().flatten().all(|position| *position == 0.0));
        let narrow = held(Band::beginning_at(1e-12).into(), network);
        for (held, centre) in narrow.iter().flatten().zip(benchmark.iter().flatten()) {
            assert!((held - centre).abs() < 1e-11);
        }
        // Between those every position is within the width that an untrained band has.
        let usual = held(Band::beginning_at(0.03).into(), network);
        let mut kept = 0;
        for (index, (held, centre)) in usual.iter().zip(&benchmark).enumerate() {
            for lane in 0..BLOCK {
                assert!((held[lane] - centre[lane]).abs() < 0.03 + 1e-12);
                let date = index / 2 % STEPS;
                kept += usize::from(date > 0 && held[lane] == usual[index - 2][lane]);
            }
        }
        assert!(kept > 0);
    }
}

/// With every output 0 a learned band is one of its width around the benchmark, and the spot's around what is left of it beside the
/// options that are really held: b₀ − Σ (q − b) Δ. The centre of an option moves by a share of its own benchmark, that of the spot by a
/// share of the contract's delta.
#[test]
fn spots_go_by_the_options_that_are_held() {
    const STEPS: usize = 4;
    let paths = paths_of(&traded(), BLOCK, STEPS);
    let block = paths.block(0);
    let narrow = CentredBand {
        width: 1e-9,
        ..CENTRED
    };
    let [wide, narrow]: [Action; 2] = [
        CentredBand {
            width: 0.2,
            widest: 0.2,
            ..CENTRED
        }
        .into(),
        narrow.into(),
    ];
    let free = vec![Charge::default(); 2];
    let actor = Actor::trading(vec![narrow, wide], &traded(), free, DT);
    let mut hand = Hand::<f64>::new(&actor, STEPS);
    hand.see(&block, 0..block.steps());
    // The option's band moves up, then the spot's too.
    for t in 0..STEPS {
        hand.output_mut(t)[3] = [0.5; BLOCK];
        hand.output_mut(t)[0] = [if t > 1 { 0.25 } else { 0.0 }; BLOCK];
    }
    hand.act_on(0..STEPS);
    let (benchmark, deltas) = (block.benchmark_positions(), block.option_deltas(1).unwrap());
    let mut moved = 0;
    for t in 0..STEPS {
        for lane in 0..BLOCK {
            let [spot, option] = [0, 1].map(|i| benchmark[2 * t + i][lane]);
            let [held_spot, held] = [0, 1].map(|i| hand.positions()[2 * t + i][lane]);
            let before = t
                .checked_sub(1)
                .map_or(0.0, |b| hand.positions()[2 * b + 1][lane]);
            let centre = option + 0.4 * option.abs() * 0.5;
            assert!((held - before.clamp(centre - 0.2, centre + 0.2)).abs() < 1e-12);
            moved += usize::from((held - option).abs() > 0.01);
            let delta = deltas[t][lane];
            let own = (spot + option * delta).abs();
            let shift = if t > 1 { 0.4 * own * 0.25 } else { 0.0 };
            let expected = spot - (held - option) * delta + shift;
            assert!((held_spot - expected).abs() < 1e-8);
        }
    }
    assert!(moved > 0);
}

/// In a band so wide that nothing is ever traded no output has a derivative. With a leak ε what is held moves by ε of its distance to
/// the middle on every date, both edges have a derivative on every date, and these are opposite: half of ε times the slope of a width.
#[test]
fn a_leak_leads_back_from_a_band_that_never_trades() {
    const STEPS: usize = 4;
    let paths = paths(BLOCK, STEPS);
    let actor = Actor::new(Band::beginning_at(60.0), 2);
    let gradients = |actor: &Actor| {
        let mut hand = Hand::<f64>::new(actor, STEPS);
        hand.see(&paths.block(0), 0..paths.steps());
        hand.act_on(0..STEPS);
        let (positions, seeds) = hand.positions_and_seeds();
        let positions = positions.to_vec();
        seeds.fill([1.0; BLOCK]);
        hand.pull_all_back();
        let gradients: Vec<_> = (0..STEPS).flat_map(|t| hand.gradient(t).to_vec()).collect();
        (positions, gradients)
    };
    let (positions, derivatives) = gradients(&actor);
    assert!(
        positions
            .iter()
            .chain(&derivatives)
            .flatten()
            .all(|x| *x == 0.0)
    );
    let (positions, derivatives) = gradients(&actor.relaxed(RELAXED));
    let kept = 1.0 - RELAXED.leak;
    let centre = Slope.positions(&paths, 0..paths.steps());
    for (index, position) in positions.iter().enumerate() {
        let later = (0..STEPS - index / 2).map(|later| kept.powi(later as i32));
        let expected = 0.5 * RELAXED.leak * later.sum::<f64>();
        for lane in 0..BLOCK {
            let held = index
                .checked_sub(2)
                .map_or(0.0, |held| positions[held][lane]);
            let moved = held + RELAXED.leak * (centre[index][lane] - held);
            assert!((position[lane] - moved).abs() < 1e-13);
            let [lower, upper] = [0, 1].map(|edge| derivatives[2 * index + edge][lane]);
            assert!((lower + expected).abs() < 1e-13 && (upper - expected).abs() < 1e-13);
        }
    }
}
