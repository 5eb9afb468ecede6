use super::shocks::{Factor, Shocks, Words};
use crate::simd::{BLOCK, Kernel, Lane, Normal, Real, dispatch, multiply_add, upper_tail};

/// How the shocks of several models are correlated.
///
/// Model i has independent unit normals ε_i, whose unit vector ℓ_i is its spot's: the shock of the spot is w_i = ℓ_iᵀ ε_i. With
/// the lower triangular A of the spots' correlation matrix C = A Aᵀ, the factors
///
/// F_i = ε_i + ℓ_i (Σ_j A_ij w_j − w_i)
///
/// have the spot shocks ℓ_iᵀ F_i = Σ_j A_ij w_j, which are correlated by C; within a model they stay independent, and
/// Cov(F_i, F_j) = C_ij ℓ_i ℓ_jᵀ: what of a model's factors does not move its spot is independent of all other models. For a
/// variance shock B_i = ρ_i W_i + √(1 − ρ_i²) B_i^⊥ this is the matrix of all factors that C and the ρ_i determine, without
/// its factorisation. The first model's factors are its own ε_1.
#[derive(Debug, Clone)]
pub struct Joint {
    /// The factors of every model.
    models: Vec<Vec<Factor>>,
    /// The rows of A, up to the diagonal.
    mixing: Vec<Vec<f32>>,
}

/// The rows of one model in a block, as [`Joint::prepare`] made them: a normal variate in the bits of a single-precision number,
/// of a factor on its own the bits as drawn.
#[derive(Debug, Clone, Copy)]
pub struct Correlated<'a> {
    rows: &'a [Lane<u32>],
}

impl Joint {
    /// The shocks of models with these factors, whose spots are correlated by A Aᵀ.
    ///
    /// # Panics
    /// If `mixing`, A by its rows, has not as many rows as there are models.
    pub fn new(models: Vec<Vec<Factor>>, mixing: &[Vec<f64>]) -> Self {
        assert_eq!(models.len(), mixing.len(), "a row of A for every model");
        let row = |(i, row): (usize, &Vec<f64>)| row[..=i].iter().map(|a| *a as f32).collect();
        Self {
            models,
            mixing: mixing.iter().enumerate().map(row).collect(),
        }
    }

    /// The number of shocks that a step of all models takes on every path.
    pub fn factors(&self) -> usize {
        self.models.iter().map(Vec::len).sum()
    }

    /// Correlates the shocks of `steps` steps of a block, one table for every model; what `tables` held is lost, its memory
    /// used again.
    pub fn prepare(&self, words: &Words, steps: usize, tables: &mut Vec<Vec<Lane<u32>>>) {
        tables.resize_with(self.models.len(), Vec::new);
        for (table, model) in tables.iter_mut().zip(&self.models) {
            // Whole draws of four: the last ones of a table are not read, but copied.
            table.resize((steps * model.len()).next_multiple_of(4), [0; BLOCK]);
        }
        let alone = |model: &Vec<Factor>| model.as_slice() == [Factor::Normal(1.0)];
        if self.models.iter().all(alone) {
            dispatch(OfOneFactor {
                mixing: &self.mixing,
                words,
                steps,
                tables,
            });
        } else {
            dispatch(Preparation {
                joint: self,
                words,
                steps,
                tables,
            });
        }
    }
}

impl<'a> Correlated<'a> {
    /// The shocks of one of the tables that [`Joint::prepare`] fills.
    pub fn new(table: &'a [Lane<u32>]) -> Self {
        Self { rows: table }
    }
}

impl Shocks for Correlated<'_> {
    #[inline(always)]
    fn draw(&self, number: usize) -> [Lane<u32>; 4] {
        std::array::from_fn(|word| self.rows[4 * number + word])
    }

    const GIVES_TAILS: bool = false;

    #[inline(always)]
    fn normal<R: Real, const FMA: bool>(bits: u32) -> R {
        R::of(f64::from(f32::from_bits(bits)))
    }

    #[inline(always)]
    fn upper_tail<R: Real, const FMA: bool>(bits: u32) -> R {
        upper_tail::<R, FMA>(Self::normal::<R, FMA>(bits))
    }
}

/// [`Preparation`] of models whose one factor is the shock of their spot: F = ε + (A w − w) with w = ε, in one pass over the shocks of a
/// step.
struct OfOneFactor<'a> {
    mixing: &'a [Vec<f32>],
    words: &'a Words,
    steps: usize,
    tables: &'a mut [Vec<Lane<u32>>],
}

impl Kernel for OfOneFactor<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let mut spots = vec![[0f32; BLOCK]; self.mixing.len()];
        let mut words = [[0; BLOCK]; 4];
        let mut drawn = 0;
        for step in 0..self.steps {
            let models = self.mixing.iter().zip(self.tables.iter_mut());
            for (i, (mixing, table)) in models.enumerate() {
                if drawn % 4 == 0 {
                    words = self.words.draw(drawn / 4);
                }
                let word = &words[drawn % 4];
                drawn += 1;
                // Values, not references: the compiler must see that nothing overlaps.
                let mut own = [0f32; BLOCK];
                for lane in 0..BLOCK {
                    own[lane] = Normal::<f32>::from_bits::<FMA>(word[lane]).quantile;
                }
                let (before, spot) = spots.split_at_mut(i);
                spot[0] = own;
                let rest = mixing[i] - 1.0;
                let mut change = [0f32; BLOCK];
                for lane in 0..BLOCK {
                    change[lane] = rest * own[lane];
                }
                for (weight, spot) in mixing.iter().zip(before) {
                    for lane in 0..BLOCK {
                        change[lane] = multiply_add::<f32, FMA>(*weight, spot[lane], change[lane]);
                    }
                }
                let mut moved = [0; BLOCK];
                for lane in 0..BLOCK {
                    moved[lane] = (change[lane] + own[lane]).to_bits();
                }
                table[step] = moved;
            }
        }
    }
}

struct Preparation<'a> {
    joint: &'a Joint,
    words: &'a Words,
    steps: usize,
    tables: &'a mut [Vec<Lane<u32>>],
}

impl Kernel for Preparation<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Joint { models, mixing } = self.joint;
        let mut spots = vec![[0f32; BLOCK]; models.len()];
        let mut words = [[0; BLOCK]; 4];
        let mut drawn = 0;
        for step in 0..self.steps {
            for (i, model) in models.iter().enumerate() {
                let rows = &mut self.tables[i][step * model.len()..][..model.len()];
                // Values, not references: the compiler must see that nothing overlaps.
                let mut own = [0f32; BLOCK];
                for (row, factor) in rows.iter_mut().zip(model) {
                    if drawn % 4 == 0 {
                        words = self.words.draw(drawn / 4);
                    }
                    let word = words[drawn % 4];
                    drawn += 1;
                    let Factor::Normal(loading) = *factor else {
                        *row = word;
                        continue;
                    };
                    let loading = loading as f32;
                    let mut normals = [0f32; BLOCK];
                    for lane in 0..BLOCK {
                        normals[lane] = Normal::<f32>::from_bits::<FMA>(word[lane]).quantile;
                    }
                    for lane in 0..BLOCK {
                        own[lane] = multiply_add::<f32, FMA>(loading, normals[lane], own[lane]);
                    }
                    *row = bits(&normals);
                }
                spots[i] = own;
                // Of A w the models before this one have their part, and those after it none: A is lower triangular.
                let (last, before) = mixing[i].split_last().expect("a diagonal");
                let mut change = [0f32; BLOCK];
                for lane in 0..BLOCK {
                    change[lane] = (*last - 1.0) * own[lane];
                }
                for (weight, spot) in before.iter().zip(&spots) {
                    for lane in 0..BLOCK {
                        change[lane] = multiply_add::<f32, FMA>(*weight, spot[lane], change[lane]);
                    }
                }
                if i == 0 {
                    continue;
                }
                for (row, factor) in rows.iter_mut().zip(model) {
                    let Factor::Normal(loading) = *factor else {
                        continue;
                    };
                    let (loading, word) = (loading as f32, *row);
                    let mut moved = [0f32; BLOCK];
                    for lane in 0..BLOCK {
                        let normal = f32::from_bits(word[lane]);
                        moved[lane] = multiply_add::<f32, FMA>(loading, change[lane], normal);
                    }
                    *row = bits(&moved);
                }
            }
        }
    }
}

#[inline(always)]
fn bits(numbers: &Lane<f32>) -> Lane<u32> {
    let mut bits = [0; BLOCK];
    for lane in 0..BLOCK {
        bits[lane] = numbers[lane].to_bits();
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Sampling, Source};

    /// Cov(F_i, F_j) = C_ij ℓ_i ℓ_jᵀ and Cov(F_i) = 1 under each sampling, z-bound 5 (a product of two normals has a standard
    /// deviation of at most √2), and so have different steps no correlation; the first model's factors are those of the words
    /// they are made of, and bits of a factor on its own pass through.
    #[test]
    fn factors_have_the_covariance_of_their_spots() {
        const BLOCKS: u64 = 1 << 11;
        let (rho, sigma) = (-0.7, 0.4);
        let loading = |rho: f64| vec![rho, (1.0 - rho * rho).sqrt()];
        let loadings = [loading(rho), vec![1.0, 0.0], loading(sigma)];
        let normal = |loading: &Vec<f64>| loading.iter().map(|l| Factor::Normal(*l)).collect();
        let mut models: Vec<Vec<Factor>> = loadings.iter().map(normal).collect();
        models[1][1] = Factor::Own;
        // C = [[1, .5, −.6], [.5, 1, .1], [−.6, .1, 1]]
        let c: [[f64; 3]; 3] = [[1.0, 0.5, -0.6], [0.5, 1.0, 0.1], [-0.6, 0.1, 1.0]];
        let a21 = (0.1 + 0.3) / 0.75f64.sqrt();
        let mixing = [
            vec![1.0, 0.0, 0.0],
            vec![0.5, 0.75f64.sqrt(), 0.0],
            vec![-0.6, a21, (1.0 - 0.36 - a21 * a21).sqrt()],
        ];
        let joint = Joint::new(models, &mixing);
        assert_eq!(joint.factors(), 6);
        for sampling in [
            Sampling::Pseudorandom,
            Sampling::Antithetic,
            Sampling::Sobol,
        ] {
            let source = Source::new(3, Purpose::Evaluation, sampling, 2, 6);
            let mut sums = [[0.0; 12]; 12];
            let mut tables = Vec::new();
            for block in 0..BLOCKS {
                let words = source.block(block);
                joint.prepare(&words, 2, &mut tables);
                let words: Vec<Lane<u32>> = (0..3).flat_map(|n| words.draw(n)).collect();
                // Model, then step, then factor.
                let mut values = Vec::new();
                for (i, table) in tables.iter().enumerate() {
                    let shocks = Correlated::new(table).draw(0);
                    for (k, row) in shocks.iter().enumerate() {
                        let word = words[6 * (k / 2) + 2 * i + k % 2];
                        let own = word.map(|w| Normal::<f32>::from_bits::<true>(w).quantile);
                        if i == 1 && k % 2 == 1 {
                            assert_eq!(*row, word);
                            values.push(own.map(f64::from));
                            continue;
                        }
                        values.push(row.map(Correlated::normal::<f64, true>));
                        if i == 0 {
                            for lane in 0..BLOCK {
                                let apart = values[k][lane] - f64::from(own[lane]);
                                assert!(apart.abs() < 1e-5, "{apart}");
                            }
                        }
                    }
                }
                for x in 0..12 {
                    for y in 0..=x {
                        let products = (0..BLOCK).map(|lane| values[x][lane] * values[y][lane]);
                        sums[x][y] += products.sum::<f64>();
                    }
                }
            }
            let count = BLOCKS as f64 * BLOCK as f64;
            for x in 0..12 {
                for y in 0..=x {
                    let at = |n: usize| (n / 4, n % 4 / 2, n % 2);
                    let ((i, s, k), (j, t, l)) = (at(x), at(y));
                    let expected = match (s == t, i == j) {
                        (false, _) => 0.0,
                        (true, true) => f64::from(u8::from(k == l)),
                        (true, false) => c[i][j] * loadings[i][k] * loadings[j][l],
                    };
                    let found = sums[x][y] / count;
                    // Antithetic pairs have the same products: half as many count.
                    assert!(
                        (found - expected).abs() < 5.0 * 2.0 / count.sqrt(),
                        "{sampling:?} {x}, {y}: {found}, {expected}"
                    );
                }
            }
        }
    }

    /// Models of one factor have the same shocks, to the bit, as beside a model that asks for the general way: with a factor of its own
    /// at the end, whose words come after theirs in a single step.
    #[test]
    fn one_factor_is_a_special_case() {
        let mixing = [
            vec![1.0, 0.0, 0.0],
            vec![0.5, 0.75f64.sqrt(), 0.0],
            vec![-0.6, 0.3, 0.55f64.sqrt()],
        ];
        let models = vec![vec![Factor::Normal(1.0)]; 3];
        let mut general = models.clone();
        general[2].push(Factor::Own);
        let source = Source::new(5, Purpose::Evaluation, Sampling::Pseudorandom, 4, 4);
        let tables = |models: Vec<Vec<Factor>>, block: u64| {
            let mut tables = Vec::new();
            Joint::new(models, &mixing).prepare(&source.block(block), 1, &mut tables);
            tables
        };
        for block in 0..8 {
            let (alone, beside) = (
                tables(models.clone(), block),
                tables(general.clone(), block),
            );
            for i in 0..3 {
                assert_eq!(alone[i][0], beside[i][0]);
            }
        }
    }

    /// Spots that are correlated by ±1 have the same shock but for its sign, within the rounding of single precision.
    #[test]
    fn spots_of_correlation_one_share_their_shock() {
        let heston = |rho: f64| {
            vec![
                Factor::Normal(rho),
                Factor::Normal((1.0 - rho * rho).sqrt()),
            ]
        };
        let mixing = [
            vec![1.0, 0.0, 0.0],
            vec![-1.0, 0.0, 0.0],
            vec![1.0, 0.0, 0.0],
        ];
        let models = vec![vec![Factor::Normal(1.0)], heston(-0.5), heston(1.0)];
        let joint = Joint::new(models.clone(), &mixing);
        let source = Source::new(3, Purpose::Evaluation, Sampling::Pseudorandom, 4, 5);
        let mut tables = Vec::new();
        joint.prepare(&source.block(0), 4, &mut tables);
        for step in 0..4 {
            for lane in 0..BLOCK {
                let spot = |i: usize| -> f32 {
                    let factors = models[i].iter().enumerate().map(|(k, factor)| {
                        let Factor::Normal(loading) = factor else {
                            panic!("{factor:?}")
                        };
                        let bits = tables[i][step * models[i].len() + k][lane];
                        *loading as f32 * f32::from_bits(bits)
                    });
                    factors.sum()
                };
                assert!((spot(0) + spot(1)).abs() < 2e-6);
                assert!((spot(0) - spot(2)).abs() < 2e-6);
            }
        }
    }
}
