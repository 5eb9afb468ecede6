//! A deep auto-encoder of images of smooth curves.

use super::Problem;
use deephedge::network::Record;
use deephedge::random::{Purpose, sequential};
use faer::Mat;
use rand::{Rng, RngExt};

/// Units of every layer; the middle one is linear, the last one logistic, the others tanh.
pub const SIZES: [usize; 9] = [256, 128, 64, 32, 6, 32, 64, 128, 256];
const SIDE: usize = 16;
const CODE: usize = 4;
const TEST: usize = 2048;

pub struct Autoencoder {
    test: Mat<f32>,
}

/// Images of SIDE × SIDE pixels in [0, 1], each a cubic Bézier curve between four random points of the square, drawn with
/// a Gaussian pen, as in the CURVES data of Hinton and Salakhutdinov (2006).
fn images(count: usize, generator: &mut impl Rng) -> Mat<f32> {
    const POINTS: usize = 24;
    const PEN: f32 = 0.8;
    let mut all = Mat::<f32>::zeros(count, SIDE * SIDE);
    for image in 0..count {
        let control: [[f32; 2]; 4] =
            std::array::from_fn(|_| std::array::from_fn(|_| generator.random_range(1.5..14.5)));
        for point in 0..POINTS {
            let t = point as f32 / (POINTS - 1) as f32;
            let s = 1.0 - t;
            let share = [s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t];
            let at = |axis: usize| (0..4).map(|k| share[k] * control[k][axis]).sum::<f32>();
            let (x, y) = (at(0), at(1));
            for row in (y as usize).saturating_sub(2)..(y as usize + 3).min(SIDE) {
                for column in (x as usize).saturating_sub(2)..(x as usize + 3).min(SIDE) {
                    let (dx, dy) = (column as f32 + 0.5 - x, row as f32 + 0.5 - y);
                    let ink = (-(dx * dx + dy * dy) / (2.0 * PEN * PEN)).exp();
                    let pixel = &mut all[(image, row * SIDE + column)];
                    *pixel = pixel.max(ink);
                }
            }
        }
    }
    all
}

/// The inputs [a; 1] of every map, and the probabilities of the pixels.
struct Forward {
    inputs: Vec<Mat<f32>>,
    pixels: Mat<f32>,
}

fn with_one(a: &Mat<f32>) -> Mat<f32> {
    Mat::from_fn(a.nrows(), a.ncols() + 1, |i, j| {
        if j < a.ncols() { a[(i, j)] } else { 1.0 }
    })
}

fn forward(weights: &[Mat<f32>], images: &Mat<f32>) -> Forward {
    let mut inputs = vec![with_one(images)];
    for (layer, weights) in weights.iter().enumerate() {
        let mut s = inputs.last().expect("inputs") * weights.transpose();
        let last = layer + 2 == SIZES.len();
        for column in s.col_iter_mut() {
            for s in column.iter_mut() {
                *s = match layer + 1 {
                    _ if last => 1.0 / (1.0 + (-*s).exp()),
                    CODE => *s,
                    _ => s.tanh(),
                };
            }
        }
        if last {
            return Forward { inputs, pixels: s };
        }
        inputs.push(with_one(&s));
    }
    unreachable!("the last layer returns")
}

/// Gradients in the pre-activations of every map, from those of the last one.
fn backward(weights: &[Mat<f32>], inputs: &[Mat<f32>], last: Mat<f32>) -> Vec<Mat<f32>> {
    let mut gradients = vec![last];
    for layer in (1..weights.len()).rev() {
        let above = gradients.last().expect("gradients") * &weights[layer];
        let a = &inputs[layer];
        gradients.push(Mat::from_fn(a.nrows(), a.ncols() - 1, |i, j| {
            let slope = if layer == CODE {
                1.0
            } else {
                1.0 - a[(i, j)] * a[(i, j)]
            };
            above[(i, j)] * slope
        }));
    }
    gradients.reverse();
    gradients
}

/// Mean over images of the cross-entropy, summed over pixels.
fn cross_entropy(pixels: &Mat<f32>, images: &Mat<f32>) -> f64 {
    let mut sum = 0.0;
    for (p, x) in pixels.col_iter().zip(images.col_iter()) {
        for (p, x) in p.iter().zip(x.iter()) {
            let p = f64::from(p.clamp(1e-7, 1.0 - 1e-7));
            sum -= f64::from(*x) * p.ln() + f64::from(1.0 - x) * (1.0 - p).ln();
        }
    }
    sum / pixels.nrows() as f64
}

fn single(weights: &[Mat<f64>]) -> Vec<Mat<f32>> {
    let convert = |w: &Mat<f64>| Mat::from_fn(w.nrows(), w.ncols(), |i, j| w[(i, j)] as f32);
    weights.iter().map(convert).collect()
}

impl Autoencoder {
    pub fn new() -> Self {
        Self {
            test: images(TEST, &mut sequential(2, Purpose::Evaluation)),
        }
    }
}

impl Problem for Autoencoder {
    const EXAMPLES: usize = 512;
    const CURVATURE: f64 = 1.0;

    fn weights(&self, seed: u64) -> Vec<Mat<f64>> {
        let mut generator = sequential(seed, Purpose::InitialWeights);
        let sizes = SIZES.windows(2);
        sizes
            .map(|sizes| {
                let bound = (6.0 / (sizes[0] + sizes[1]) as f64).sqrt();
                let mut weights = Mat::zeros(sizes[1], sizes[0] + 1);
                for row in 0..sizes[1] {
                    for column in 0..sizes[0] {
                        weights[(row, column)] = generator.random_range(-bound..bound);
                    }
                }
                weights
            })
            .collect()
    }

    fn step(
        &mut self,
        weights: &[Mat<f64>],
        step: usize,
        sampled: usize,
        record: &mut Record<f32>,
    ) -> (f64, Vec<Mat<f64>>) {
        let weights = single(weights);
        let mut generator = sequential(step as u64, Purpose::Training);
        let images = images(Self::EXAMPLES, &mut generator);
        let Forward { inputs, pixels } = forward(&weights, &images);
        let loss = cross_entropy(&pixels, &images);
        let gradients = backward(&weights, &inputs, &pixels - &images);
        let scale = 1.0 / Self::EXAMPLES as f64;
        let gradient = gradients.iter().zip(&inputs).map(|(g, a)| {
            let product = g.transpose() * a;
            Mat::from_fn(g.ncols(), a.ncols(), |i, j| {
                scale * f64::from(product[(i, j)])
            })
        });
        let gradient = gradient.collect();
        if sampled > 0 {
            // Pixels drawn from the model make the mean of J Jᵀ the Fisher information.
            let part = |a: &Mat<f32>| a.subrows(0, sampled).to_owned();
            let inputs: Vec<_> = inputs.iter().map(part).collect();
            let seeds = Mat::from_fn(sampled, pixels.ncols(), |i, j| {
                let drawn = if generator.random::<f32>() < pixels[(i, j)] {
                    1.0
                } else {
                    0.0
                };
                pixels[(i, j)] - drawn
            });
            let gradients = backward(&weights, &inputs, seeds);
            let maps: Vec<_> = inputs.into_iter().zip(gradients).collect();
            record.set_rows(&maps);
        }
        (loss, gradient)
    }

    fn test(&self, weights: &[Mat<f64>]) -> f64 {
        cross_entropy(&forward(&single(weights), &self.test).pixels, &self.test)
    }
}
