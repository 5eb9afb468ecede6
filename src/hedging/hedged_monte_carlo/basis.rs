//! Functions of what is known at a date, among which a regression finds price and hedge.

use crate::simd::{BLOCK, Lane};

/// Functions of d coordinates: products of one function of each, in levels of growing detail.
///
/// In one coordinate x the functions are 1 (level 0), x (level 1), and hats on dyadic quantiles of x (level l ≥ 2 has 2^{l−2} of
/// them, which reach from each odd multiple of 2^{1−l} to its neighbours). A product is taken if its levels add up to at most L,
/// the greatest with [`MOST`] functions or fewer: a sparse grid, which spends its functions on one coordinate if there is one,
/// and on all of them, less finely, if there are several. Beyond the outermost quantiles all stay what they are there.
///
/// # References
/// Bungartz and Griebel (2004), "Sparse grids", Acta Numerica 13, section 3.
#[derive(Debug, Clone)]
pub struct Basis {
    coordinates: Vec<Coordinate>,
    /// For every function the number of its factor in each coordinate.
    products: Vec<Vec<usize>>,
}

/// Functions of a basis, at most.
const MOST: usize = 64;

/// The greatest level of one coordinate: hats lie 1/32 of the distribution apart.
const DEEPEST: usize = 6;

/// The share of the sample beyond the outermost quantiles, on each side.
const TAIL: f64 = 1e-3;

#[derive(Debug, Clone)]
struct Coordinate {
    /// The number of the feature.
    feature: usize,
    /// What is taken off, and what it is divided by.
    scale: (f64, f64),
    /// The outermost quantiles.
    ends: (f64, f64),
    /// Left end, centre and right end of every hat.
    hats: Vec<[f64; 3]>,
}

impl Coordinate {
    /// The functions of the levels up to `level`.
    fn functions(level: usize) -> usize {
        match level {
            0 => 1,
            1 => 2,
            deeper => 1 + (1 << (deeper - 1)),
        }
    }

    /// A coordinate whose values are like `sample`; none if they are all the same.
    fn new(feature: usize, mut sample: Vec<f64>) -> Option<Self> {
        sample.sort_unstable_by(f64::total_cmp);
        let n = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / n;
        let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let deviation = variance.sqrt();
        let (first, last) = (sample.first()?, sample.last()?);
        if first == last || deviation.is_nan() || deviation <= 1e-9 * mean.abs() {
            return None;
        }
        let quantile = |share: f64| {
            let share = share.clamp(TAIL, 1.0 - TAIL);
            (sample[(share * (n - 1.0)).round() as usize] - mean) / deviation
        };
        let mut hats = Vec::new();
        for level in 2..=DEEPEST {
            let width = 0.5f64.powi(level as i32 - 1);
            for j in 0..1 << (level - 2) {
                let centre = width * f64::from(2 * j + 1);
                hats.push([centre - width, centre, centre + width].map(quantile));
            }
        }
        Some(Self {
            feature,
            scale: (mean, deviation),
            ends: (quantile(0.0), quantile(1.0)),
            hats,
        })
    }

    /// The functions at `x`, `count` of them.
    fn values(&self, x: &Lane<f64>, count: usize, out: &mut Vec<Lane<f64>>) {
        out.clear();
        let ((mean, deviation), (low, high)) = (self.scale, self.ends);
        let x = x.map(|x| ((x - mean) / deviation).clamp(low, high));
        out.push([1.0; BLOCK]);
        out.push(x);
        let hats = self.hats.iter().take(count.saturating_sub(2));
        out.extend(hats.map(|&[left, centre, right]| {
            x.map(|x| {
                let rise = if x <= centre {
                    (x - left) / (centre - left)
                } else {
                    (right - x) / (right - centre)
                };
                // Where quantiles coincide there is no hat.
                if rise.is_finite() { rise.max(0.0) } else { 0.0 }
            })
        }));
        out.truncate(count);
    }

    /// The derivatives of [`Self::values`] in the feature.
    fn slopes(&self, x: &Lane<f64>, count: usize, out: &mut Vec<Lane<f64>>) {
        out.clear();
        let (mean, deviation) = self.scale;
        let x = x.map(|x| (x - mean) / deviation);
        out.push([0.0; BLOCK]);
        let (low, high) = self.ends;
        out.push(x.map(|x| {
            if x < low || x > high {
                0.0
            } else {
                1.0 / deviation
            }
        }));
        let hats = self.hats.iter().take(count.saturating_sub(2));
        out.extend(hats.map(|&[left, centre, right]| {
            x.map(|x| {
                let slope = if x <= left || x >= right {
                    0.0
                } else if x <= centre {
                    1.0 / (centre - left)
                } else {
                    -1.0 / (right - centre)
                };
                if slope.is_finite() {
                    slope / deviation
                } else {
                    0.0
                }
            })
        }));
        out.truncate(count);
    }
}

impl Basis {
    /// A basis for features whose values are like those of `samples`, one for each feature; those that do not vary are left out.
    pub fn new(samples: Vec<Vec<f64>>) -> Self {
        let samples = samples.into_iter().enumerate();
        let coordinates: Vec<Coordinate> = samples
            .filter_map(|(feature, sample)| Coordinate::new(feature, sample))
            .collect();
        let mut products = vec![vec![0; coordinates.len()]];
        for most in 1..=DEEPEST {
            let more = products_up_to(coordinates.len(), most);
            if more.len() > MOST && most > 1 {
                break;
            }
            products = more;
        }
        Self {
            coordinates,
            products,
        }
    }

    /// The number of functions; the first is 1.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// The functions of a block of features, `[features][BLOCK]`.
    pub fn values(&self, features: &[Lane<f64>], out: &mut Vec<Lane<f64>>) {
        let factors = self.factors(features, None);
        self.multiply(&factors, out);
    }

    /// The derivatives of the functions in `feature`.
    pub fn slopes(&self, features: &[Lane<f64>], feature: usize, out: &mut Vec<Lane<f64>>) {
        match self.coordinates.iter().any(|one| one.feature == feature) {
            true => self.multiply(&self.factors(features, Some(feature)), out),
            false => {
                out.clear();
                out.resize(self.products.len(), [0.0; BLOCK]);
            }
        }
    }

    /// The functions of each coordinate, differentiated in one feature.
    fn factors(&self, features: &[Lane<f64>], slope: Option<usize>) -> Vec<Vec<Lane<f64>>> {
        let numbered = self.coordinates.iter().enumerate();
        let factors = numbered.map(|(place, one)| {
            let most = self.products.iter().map(|product| product[place]).max();
            let count = most.unwrap_or(0) + 1;
            let mut values = Vec::with_capacity(count.max(2));
            let x = &features[one.feature];
            match slope == Some(one.feature) {
                true => one.slopes(x, count, &mut values),
                false => one.values(x, count, &mut values),
            }
            values
        });
        factors.collect()
    }

    fn multiply(&self, factors: &[Vec<Lane<f64>>], out: &mut Vec<Lane<f64>>) {
        out.clear();
        out.extend(self.products.iter().map(|product| {
            let mut value = [1.0; BLOCK];
            for (factors, &factor) in factors.iter().zip(product) {
                for lane in 0..BLOCK {
                    value[lane] *= factors[factor][lane];
                }
            }
            value
        }));
    }
}

/// The level of a function of one coordinate, by its number.
fn level(function: usize) -> usize {
    (0..)
        .find(|&level| function < Coordinate::functions(level))
        .expect("every function has a level")
}

/// The products of functions of so many coordinates whose levels add up to at most `most`.
fn products_up_to(coordinates: usize, most: usize) -> Vec<Vec<usize>> {
    let mut products = vec![(Vec::new(), 0)];
    for _ in 0..coordinates {
        let mut longer = Vec::new();
        for (product, spent) in products {
            for function in 0..Coordinate::functions(most - spent) {
                let mut product: Vec<usize> = product.clone();
                product.push(function);
                longer.push((product, spent + level(function)));
            }
        }
        products = longer;
    }
    products.into_iter().map(|(product, _)| product).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One coordinate has 33 functions, two have 25 or more, none has the constant alone; all stay within the bound but where
    /// the linear ones alone are more.
    #[test]
    fn the_functions_are_spread_over_the_coordinates() {
        let sample = |shift: f64| (0..1000).map(|i| (f64::from(i) + shift).sin()).collect();
        let len = |d: usize| Basis::new((0..d).map(|i| sample(i as f64)).collect()).len();
        assert_eq!((len(0), len(1)), (1, 33));
        for d in 2..8 {
            assert!((d + 1..=MOST).contains(&len(d)), "{d}: {}", len(d));
        }
        let constant = Basis::new(vec![vec![3.0; 100]]);
        assert_eq!(constant.len(), 1);
    }

    /// Slopes are central differences of the functions wherever a hat has no kink, in each of three features.
    #[test]
    fn slopes_are_those_of_the_functions() {
        const STEP: f64 = 1e-6;
        let sample = |k: usize| {
            (0..1000)
                .map(|i| (i as f64 * (0.7 + k as f64)).sin())
                .collect()
        };
        let basis = Basis::new((0..3).map(sample).collect());
        let at: Vec<Lane<f64>> = (0..3)
            .map(|k| std::array::from_fn(|lane| 0.03 * lane as f64 - 0.41 + 0.1 * k as f64))
            .collect();
        for feature in 0..3 {
            let values = |shift: f64| {
                let mut at = at.clone();
                at[feature] = at[feature].map(|x| x + shift);
                let mut out = Vec::new();
                basis.values(&at, &mut out);
                out
            };
            let (up, down) = (values(STEP), values(-STEP));
            let mut slopes = Vec::new();
            basis.slopes(&at, feature, &mut slopes);
            for (function, slope) in slopes.iter().enumerate() {
                for lane in 0..BLOCK {
                    let difference = (up[function][lane] - down[function][lane]) / (2.0 * STEP);
                    assert!((slope[lane] - difference).abs() < 1e-5);
                }
            }
        }
    }
}
