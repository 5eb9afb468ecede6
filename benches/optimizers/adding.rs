//! The adding problem: the sum of two marked numbers in a long sequence.

use super::Problem;
use deephedge::market::Paths;
use deephedge::network::{
    Actor, Engine, Feature, Features, Head, LstmShape, Parameters, Record, Shape, Sweep,
};
use deephedge::random::{Purpose, sequential};
use deephedge::simd::{BLOCK, Lane};
use faer::Mat;
use rand::{Rng, RngExt};

pub const DATES: usize = 50;
const TEST: usize = 4096;
pub const HIDDEN: usize = 32;

/// Sequences as paths: ln(S/K) is the number, √v the mark, and the policy's last position the answer.
///
/// # References
/// Hochreiter and Schmidhuber (1997), section 5.4.
struct Sequences {
    paths: Paths<f32>,
    sums: Vec<f64>,
}

fn sequences(count: usize, generator: &mut impl Rng) -> Sequences {
    let mut sums = Vec::new();
    let rows: Vec<(Vec<f64>, Vec<f64>)> = (0..count)
        .map(|_| {
            let numbers: Vec<f64> = (0..DATES).map(|_| generator.random()).collect();
            let mut marks = vec![0.0; DATES + 1];
            let first = generator.random_range(0..DATES / 2);
            let second = generator.random_range(DATES / 2..DATES);
            (marks[first], marks[second]) = (1.0, 1.0);
            sums.push(numbers[first] + numbers[second]);
            let spot = numbers.iter().map(|x| x.exp()).chain([1.0]).collect();
            (spot, marks)
        })
        .collect();
    let rows = rows.iter().map(|(spot, marks)| (&spot[..], &marks[..]));
    Sequences {
        paths: Paths::from_rows(DATES, rows),
        sums,
    }
}

pub struct Adding {
    shape: Shape,
    features: Features,
    sweep: Box<dyn Sweep<f32>>,
    test: Sequences,
}

impl Adding {
    pub fn new(layer_normalisation: bool) -> Self {
        let shape = Shape::from(LstmShape {
            features: 2,
            hidden: HIDDEN,
            layers: 1,
            head: Head::positions(1),
            layer_normalisation,
        });
        Self {
            shape,
            features: Features {
                list: vec![Feature::LogMoneyness, Feature::Volatility],
                strike: 1.0,
                volatility: 1.0,
                expiry: 1.0,
                further: Vec::new(),
                terms: Vec::new(),
                state: Vec::new(),
                unit: None,
                period: 1.0,
                carry: 0.0,
                standards: Vec::new(),
                bound: None,
                instruments: 1,
            },
            sweep: shape.sweep(Engine::Block, Actor::direct(1)),
            test: sequences(TEST, &mut sequential(2, Purpose::Evaluation)),
        }
    }

    fn parameters(&self, weights: &[Mat<f64>]) -> Parameters {
        Parameters::new(self.shape.maps(), weights.to_vec()).expect("weights of the shape")
    }

    /// Answers less sums.
    fn errors(&self, parameters: &Parameters, sequences: &Sequences) -> Vec<f64> {
        let positions = self
            .sweep
            .forward(parameters, &self.features, &sequences.paths)
            .expect("a sweep");
        let answers = positions.chunks(DATES).flat_map(|dates| dates[DATES - 1]);
        answers
            .zip(&sequences.sums)
            .map(|(answer, sum)| f64::from(answer) - sum)
            .collect()
    }
}

fn mean_square(errors: &[f64]) -> f64 {
    errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64
}

impl Problem for Adding {
    const EXAMPLES: usize = 512;
    /// Of a squared error.
    const CURVATURE: f64 = 2.0;

    fn weights(&self, seed: u64) -> Vec<Mat<f64>> {
        let parameters = Parameters::random(self.shape.maps(), seed).expect("a valid shape");
        parameters.matrices().expect("weights")
    }

    fn step(
        &mut self,
        weights: &[Mat<f64>],
        step: usize,
        sampled: usize,
        record: &mut Record<f32>,
    ) -> (f64, Vec<Mat<f64>>) {
        let parameters = self.parameters(weights);
        let mut generator = sequential(step as u64, Purpose::Training);
        let sequences = sequences(Self::EXAMPLES, &mut generator);
        let errors = self.errors(&parameters, &sequences);
        let scale = 2.0 / Self::EXAMPLES as f64;
        let paths = &sequences.paths;
        let seed = |block: usize, _: &[Lane<f32>], out: &mut [Lane<f32>]| {
            out.fill([0.0; BLOCK]);
            out[DATES - 1] =
                std::array::from_fn(|lane| (scale * errors[block * BLOCK + lane]) as f32);
        };
        let gradient = self
            .sweep
            .gradient(&parameters, &self.features, paths, &seed);
        if sampled > 0 {
            let sample = paths.gather(&(0..sampled).collect::<Vec<_>>());
            let seed = |_: usize, _: &[Lane<f32>], out: &mut [Lane<f32>]| {
                out.fill([0.0; BLOCK]);
                out[DATES - 1] = [1.0; BLOCK];
            };
            self.sweep
                .record(&parameters, &self.features, &sample, &seed, record)
                .expect("a sweep");
        }
        (mean_square(&errors), gradient.expect("a sweep"))
    }

    fn test(&self, weights: &[Mat<f64>]) -> f64 {
        let parameters = self.parameters(weights);
        mean_square(&self.errors(&parameters, &self.test))
    }
}
