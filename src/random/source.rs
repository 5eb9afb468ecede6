use super::bridge::Bridge;
use super::sobol::Sobol;
use super::{Purpose, Stream, Words};
use crate::simd::{BLOCK, Lane, Normal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::FRAC_1_SQRT_2;

/// How the random numbers behind paths are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Independent paths.
    #[default]
    Pseudorandom,
    /// Path 16 + i of a block has the shocks of its path i with the opposite sign.
    Antithetic,
    /// Owen-scrambled Sobol points through a Brownian bridge for every factor.
    Sobol,
}

/// The shocks of a model: for every path, step and factor 32 bits in the form that [`Normal::from_bits`] reads.
#[derive(Debug, Clone)]
pub struct Source {
    stream: Stream,
    sampling: Sampling,
    steps: usize,
    factors: usize,
    bridge: Bridge,
}

impl Source {
    /// Shocks of a model with `factors` of them a step.
    pub fn new(
        seed: u64,
        purpose: Purpose,
        sampling: Sampling,
        steps: usize,
        factors: usize,
    ) -> Self {
        Self {
            stream: Stream::new(seed, purpose),
            sampling,
            steps,
            factors,
            bridge: Bridge::new(steps),
        }
    }

    /// The shocks of block number `block`.
    pub fn block(&self, block: u64) -> Words {
        let drawn = |antithetic| Words::Drawn {
            stream: self.stream,
            block,
            antithetic,
        };
        match self.sampling {
            Sampling::Pseudorandom => drawn(false),
            Sampling::Antithetic => drawn(true),
            Sampling::Sobol => Words::Table(self.sobol(block)),
        }
    }

    fn sobol(&self, block: u64) -> Vec<Lane<u32>> {
        let (steps, factors) = (self.steps, self.factors);
        let fractions = Sobol::new(self.stream).fractions(block, steps * factors);
        let mut table = vec![[0; BLOCK]; (steps * factors).next_multiple_of(4)];
        let mut variates = vec![0.0; steps];
        for lane in 0..BLOCK {
            for factor in 0..factors {
                for (dimension, variate) in variates.iter_mut().enumerate() {
                    // The bridge's first variates take the first, best dimensions, shared by the factors in turn.
                    let fraction = fractions[dimension * factors + factor][lane];
                    *variate =
                        Normal::<f64>::from_bits::<false>(bits_of_fraction(fraction)).quantile;
                }
                self.bridge.apply(&mut variates);
                for (step, shock) in variates.iter().enumerate() {
                    table[step * factors + factor][lane] = bits_of_normal(*shock);
                }
            }
        }
        table
    }
}

/// The bits whose normal variate is Φ⁻¹ of a fraction of 2³².
fn bits_of_fraction(fraction: u32) -> u32 {
    if fraction < 1 << 31 {
        fraction << 1 | 1
    } else {
        !fraction << 1
    }
}

/// The bits of a normal variate.
fn bits_of_normal(z: f64) -> u32 {
    let tail = 0.5 * libm::erfc(z.abs() * FRAC_1_SQRT_2);
    let index = (tail * 4_294_967_296.0).min(f64::from(i32::MAX)) as u32;
    index << 1 | u32::from(z < 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Shocks;

    /// Both ways to the bits lead back: z → bits → z within the resolution of 2⁻³² in probability and of the quantile's
    /// approximation, and a fraction u → bits → Φ⁻¹(u) with 1 − u as its upper tail.
    #[test]
    fn bits_read_back_as_the_same_variate() {
        for z in [-5.0, -2.5, -1.0, -0.1, 0.0, 1e-3, 0.7, 1.9, 3.3, 5.5] {
            let read = Normal::<f64>::from_bits::<false>(bits_of_normal(z)).quantile;
            let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
            let bound = 2.4e-10 / density + 2e-7 * (1.0 + z.abs());
            assert!((read - z).abs() < bound, "{z}: {read}");
        }
        for fraction in [
            0,
            1,
            1 << 20,
            (1 << 31) - 1,
            1 << 31,
            u32::MAX - 5,
            u32::MAX,
        ] {
            let normal = Normal::<f64>::from_bits::<false>(bits_of_fraction(fraction));
            let upper = 1.0 - (f64::from(fraction) + 0.5) / 4_294_967_296.0;
            assert!((normal.upper_tail - upper).abs() < 1e-15, "{fraction}");
            assert_eq!(normal.quantile > 0.0, fraction >= 1 << 31);
        }
    }

    /// An aligned run of 2^k points has one point in every interval of length 2^−k of every dimension: a whole batch, and the
    /// first 512 or 64 paths of one.
    #[test]
    fn sobol_points_are_nets() {
        let sobol = Sobol::new(Stream::new(7, Purpose::Training));
        let dimensions = 256;
        for (first, blocks) in [(0, 32), (64, 32), (2048, 32), (128, 16), (384, 2)] {
            let points: Vec<_> = (first..first + blocks)
                .map(|block| sobol.fractions(block, dimensions))
                .collect();
            let count = blocks as u32 * BLOCK as u32;
            let shift = 32 - count.trailing_zeros();
            for dimension in 0..dimensions {
                let mut cells: Vec<u32> = points
                    .iter()
                    .flat_map(|rows| rows[dimension].map(|fraction| fraction >> shift))
                    .collect();
                cells.sort_unstable();
                assert!(cells.iter().copied().eq(0..count), "dimension {dimension}");
            }
        }
    }

    /// The second half of an antithetic block mirrors the first.
    #[test]
    fn antithetic_shocks_have_opposite_signs() {
        let shocks = Source::new(1, Purpose::Training, Sampling::Antithetic, 8, 1).block(3);
        for word in shocks.draw(1) {
            for lane in 0..BLOCK / 2 {
                let [a, b] = [word[lane], word[BLOCK / 2 + lane]]
                    .map(|bits| Normal::<f64>::from_bits::<false>(bits).quantile);
                assert_eq!(a, -b);
            }
        }
    }

    /// Shocks of every step and factor are standard normal under each sampling: 2¹⁶ paths, first four moments within
    /// z = 5 and the Kolmogorov–Smirnov distance within 1.95/√n (level .001), and the products of different steps and
    /// factors have mean 0 within z = 5.
    #[test]
    fn shocks_are_independent_standard_normals() {
        const N: usize = 1 << 16;
        let (steps, factors) = (6, 2);
        for sampling in [
            Sampling::Pseudorandom,
            Sampling::Antithetic,
            Sampling::Sobol,
        ] {
            let source = Source::new(4, Purpose::Evaluation, sampling, steps, factors);
            let mut columns = vec![Vec::with_capacity(N); steps * factors];
            for block in 0..N / BLOCK {
                let shocks = source.block(block as u64);
                for (index, column) in columns.iter_mut().enumerate() {
                    let word = shocks.draw(index / 4)[index % 4];
                    column.extend(word.map(|b| Normal::<f64>::from_bits::<false>(b).quantile));
                }
            }
            let root = (N as f64).sqrt();
            for column in &mut columns {
                // (moment, its expectation, the standard deviation of z^k)
                for (power, expected, deviation) in [
                    (1, 0.0, 1.0),
                    (2, 1.0, 2f64.sqrt()),
                    (3, 0.0, 15f64.sqrt()),
                    (4, 3.0, 96f64.sqrt()),
                ] {
                    let moment = column.iter().map(|z| z.powi(power)).sum::<f64>() / N as f64;
                    assert!(
                        (moment - expected).abs() < 5.0 * deviation / root,
                        "{sampling:?}: moment {power} is {moment}"
                    );
                }
            }
            for i in 0..columns.len() {
                for j in 0..i {
                    let products = columns[i].iter().zip(&columns[j]).map(|(a, b)| a * b);
                    let mean = products.sum::<f64>() / N as f64;
                    assert!(mean.abs() < 5.0 / root, "{sampling:?}: {i}, {j}: {mean}");
                }
            }
            for column in &mut columns {
                column.sort_unstable_by(f64::total_cmp);
                let distance = column
                    .iter()
                    .enumerate()
                    .fold(0.0_f64, |distance, (rank, z)| {
                        let p = 0.5 * libm::erfc(-z * FRAC_1_SQRT_2);
                        let (below, above) = (rank as f64 / N as f64, (rank + 1) as f64 / N as f64);
                        distance.max(p - below).max(above - p)
                    });
                assert!(distance < 1.95 / root, "{sampling:?}: {distance}");
            }
        }
    }
}
