use super::curvature::{ControlSettings, Curvature, Metric, MetricInverse};
use super::kfac::{SymmetricChain, factored_damping, inversion_cost};
use super::moving_average::Average;
use super::{Build, Empty, Family, Optimizer, Settings, State, Stateful};
use crate::distributed::{Placed, Workers};
use crate::error::Result;
use crate::network::Record;
use crate::simd::Real;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the Kronecker-factored optimal curvature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KfocSettings {
    /// Power iterations at each renewal.
    #[schemars(range(min = 1))]
    pub iterations: usize,
    /// Decay of the averages of past curvature at each renewal.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub factor_decay: f64,
    /// What all curvature methods share: damping, length of steps, renewals.
    #[serde(flatten)]
    pub control: ControlSettings,
}

impl Default for KfocSettings {
    fn default() -> Self {
        Self {
            iterations: 3,
            factor_decay: 0.6,
            control: ControlSettings::default(),
        }
    }
}

impl Settings for KfocSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        self.control.check(key)
    }
}

impl Build for KfocSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Curvature::new(self.control, KfocMetric::new(self)))
    }

    fn family(&self) -> Family {
        Family::Curvature
    }
}

/// A Kronecker product A ⊗ G with ‖A‖ = 1 (Frobenius); the size of the metric is in G.
#[derive(Debug, Clone)]
pub struct KroneckerPair {
    /// The factor A of inputs, `[d_A, d_A]`.
    pub inputs: Mat<f64>,
    /// The factor G of gradients, `[d_G, d_G]`, in squared units of money.
    pub gradients: Mat<f64>,
}

impl Empty for KroneckerPair {
    fn empty() -> Self {
        Self {
            inputs: Mat::new(),
            gradients: Mat::new(),
        }
    }
}

impl Stateful for KroneckerPair {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("inputs", &mut self.inputs)?;
        state.field("gradients", &mut self.gradients)
    }
}

/// The best Kronecker product of one map; absent before the first record.
#[derive(Debug, Clone, Default)]
struct MapMetric {
    average: Average,
    pair: Option<KroneckerPair>,
}

impl Empty for MapMetric {
    fn empty() -> Self {
        Self::default()
    }
}

impl Stateful for MapMetric {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("average", &mut self.average)?;
        state.field("pair", &mut self.pair)
    }
}

impl MapMetric {
    /// Power iterations on share · (A ⊗ G of the past) + (1 − share) · (1/n) Σ_b vec(J_b) vec(J_b)ᵀ; gives the share.
    fn update<R: Real>(
        &mut self,
        record: &Record<R>,
        map: usize,
        iterations: usize,
        decay: f64,
    ) -> f64 {
        let share = self.average.next(decay);
        let derivatives = record.derivatives(map);
        let new = (1.0 - share) / record.paths() as f64;
        let with_past =
            |moment: Mat<f64>, past: Option<(&Mat<f64>, &Mat<f64>)>, other: &Mat<f64>| {
                let moment = faer::Scale(new) * moment;
                match past {
                    Some((kept, contracted)) => {
                        moment + faer::Scale(share * frobenius(contracted, other)) * kept
                    }
                    None => moment,
                }
            };
        // From a metric of zero no iteration would come back.
        let past = self.pair.take().filter(|past| past.inputs.norm_l2() > 0.0);
        let (_, columns) = record.sizes()[map];
        let mut inputs = past.as_ref().map_or_else(
            || unit(Mat::identity(columns, columns)),
            |past| past.inputs.clone(),
        );
        let mut gradients = Mat::new();
        for _ in 0..iterations {
            gradients = with_past(
                derivatives.sum(|block| block.left_moment(Some(&inputs))),
                past.as_ref().map(|past| (&past.gradients, &past.inputs)),
                &inputs,
            );
            // Only its direction counts, and at size 1 nothing overflows.
            gradients = unit(gradients);
            inputs = with_past(
                derivatives.sum(|block| block.right_moment(Some(&gradients))),
                past.as_ref().map(|past| (&past.inputs, &past.gradients)),
                &gradients,
            );
            // ‖A‖ tends to the largest singular value of the rearranged metric.
            gradients = faer::Scale(inputs.norm_l2()) * gradients;
            inputs = unit(inputs);
        }
        self.pair = Some(KroneckerPair { inputs, gradients });
        share
    }
}

/// The inner product Σ a∘b of two matrices.
fn frobenius(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    crate::linalg::inner(std::slice::from_ref(a), std::slice::from_ref(b))
}

/// The matrix at Frobenius norm 1; zero stays zero.
fn unit(matrix: Mat<f64>) -> Mat<f64> {
    let norm = matrix.norm_l2();
    if norm > 0.0 {
        faer::Scale(1.0 / norm) * matrix
    } else {
        matrix
    }
}

/// Kronecker-factored optimal curvature: for every map the A ⊗ G nearest to the exact metric in Frobenius norm.
///
/// ‖(1/n) Σ_b vec(J_b) vec(J_b)ᵀ − A ⊗ G‖ is least for the first singular pair of the rearranged metric
/// (1/n) Σ_b J_b ⊗ J_b, which power iterations find without forming it:
///
/// G ← (1/n) Σ_b J_b A J_bᵀ,  A ← (1/n) Σ_b J_bᵀ G J_b,
///
/// from A = I, or from the last A. Both stay positive semidefinite. The past counts as its own Kronecker product, so
/// that one iteration averages and approximates at once. Damping is factored as in K-FAC.
///
/// # References
/// Schnaus, Lee and Triebel (2021), "Kronecker-factored optimal curvature"; van Loan and Pitsianis (1993),
/// "Approximation with Kronecker products".
#[derive(Debug, Clone)]
pub struct KfocMetric {
    iterations: usize,
    decay: f64,
    maps: Vec<MapMetric>,
}

impl KfocMetric {
    /// The metric before its first record.
    pub fn new(settings: &KfocSettings) -> Self {
        Self {
            iterations: settings.iterations,
            decay: settings.factor_decay,
            maps: Vec::new(),
        }
    }

    /// Averages in a record whose gradients are scaled by √h, and gives the share of the past in the average.
    pub fn average_in<R: Real>(&mut self, record: &Record<R>) -> f64 {
        self.maps
            .resize_with(record.sizes().len(), MapMetric::default);
        let maps = self.maps.iter_mut().enumerate();
        maps.fold(0.0, |_, (map, metric)| {
            metric.update(record, map, self.iterations, self.decay)
        })
    }

    /// The metric of map `map`, once a record is averaged in.
    pub fn map(&self, map: usize) -> Option<&KroneckerPair> {
        self.maps.get(map)?.pair.as_ref()
    }
}

impl Stateful for KfocMetric {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("maps", &mut self.maps)
    }
}

/// The inverse of every map's damped A ⊗ G.
#[derive(Debug, Clone)]
pub struct KfocInverse(Placed<SymmetricChain>);

impl Metric for KfocMetric {
    type Inverse = KfocInverse;

    fn update(&mut self, record: &Record<f32>, _damping: f64) -> Result<f64> {
        Ok(self.average_in(record))
    }

    fn invert(&self, damping: f64, workers: &Workers) -> Result<KfocInverse> {
        let pairs = self.maps.iter().map(|map| map.pair.as_ref());
        let pairs: Vec<&KroneckerPair> = pairs
            .collect::<Option<_>>()
            .expect("a map has a pair once it is here");
        let costs: Vec<f64> = pairs
            .iter()
            .map(|pair| inversion_cost(&pair.inputs, &pair.gradients))
            .collect();
        let inverses = workers.place(&costs, |map| {
            let (a, g) = factored_damping(&pairs[map].inputs, &pairs[map].gradients, damping);
            SymmetricChain::independent(&a, &g)
        })?;
        Ok(KfocInverse(inverses))
    }
}

impl MetricInverse for KfocInverse {
    fn solve(&self, gradient: &[Mat<f64>], _record: Option<&Record<f32>>) -> Result<Vec<Mat<f64>>> {
        Ok(self.0.map(|map, inverse| inverse.apply(&gradient[map])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::dense::{dense_metric, kfac_metric, kronecker, record, relative, vec};

    fn metric(record: &Record<f64>, iterations: usize, updates: usize) -> KroneckerPair {
        let settings = KfocSettings {
            iterations,
            ..KfocSettings::default()
        };
        let mut metric = KfocMetric::new(&settings);
        for _ in 0..updates {
            metric.average_in(record);
        }
        metric.map(0).unwrap().clone()
    }

    /// The van Loan rearrangement `[d_G², d_A²]` of a metric on column-stacked vec, in which G ⊗ A has rank one.
    fn rearranged(metric: &Mat<f64>, rows: usize, columns: usize) -> Mat<f64> {
        Mat::from_fn(rows * rows, columns * columns, |g, a| {
            let (row, other_row) = (g % rows, g / rows);
            let (column, other_column) = (a % columns, a / columns);
            metric[(column * rows + row, other_column * rows + other_row)]
        })
    }

    /// Identity 7: A ⊗ G is the best rank-one approximation of the rearranged metric, by its dense singular values, and
    /// nearer to the metric than K-FAC.
    #[test]
    fn first_singular_pair_of_the_rearranged_metric() {
        let record = record::<f64>(6);
        let dense = dense_metric(&record);
        let (rows, columns) = record.sizes()[0];
        let pair = metric(&record, 60, 1);
        let svd = rearranged(&dense, rows, columns).svd().unwrap();
        let first = svd.S().column_vector()[0];
        let best =
            faer::Scale(first) * (svd.U().col(0).as_mat() * svd.V().col(0).as_mat().transpose());
        let found = vec(&pair.gradients) * vec(&pair.inputs).transpose();
        let error = relative(&found, &best);
        assert!(error < 1e-8, "{error:e}");

        let error = |approximation: &Mat<f64>| relative(approximation, &dense);
        let found = kronecker(&pair.inputs, &pair.gradients);
        assert!(error(&found) < error(&kfac_metric(&record)));
    }

    /// Identity 7: ‖F − A ⊗ G‖² is stationary: its derivatives in G and A, −2(R vec A − ‖A‖² vec G) and the same with
    /// the sides exchanged, vanish.
    #[test]
    fn error_is_stationary() {
        let record = record::<f64>(6);
        let (rows, columns) = record.sizes()[0];
        let pair = metric(&record, 60, 1);
        let rearranged = rearranged(&dense_metric(&record), rows, columns);
        let (a, g) = (vec(&pair.inputs), vec(&pair.gradients));
        let square = |m: &Mat<f64>| m.norm_l2() * m.norm_l2();
        assert!(relative(&(&rearranged * &a), &(faer::Scale(square(&a)) * &g)) < 1e-8);
        let expected = faer::Scale(square(&g)) * &a;
        assert!(relative(&(rearranged.transpose() * &g), &expected) < 1e-8);
    }

    /// The average of equal records is their own approximation, and iterations go on from one renewal to the next.
    #[test]
    fn renewals_continue_the_iterations() {
        let record = record::<f64>(6);
        let once = metric(&record, 60, 1);
        let often = metric(&record, 2, 60);
        assert!(relative(&often.inputs, &once.inputs) < 1e-6);
        assert!(relative(&often.gradients, &once.gradients) < 1e-6);
    }

    /// Identity 7: a Kronecker product is found in one iteration (one date: equal inputs), a map of one input and one
    /// output is its own metric, and zero stays zero and solvable.
    #[test]
    fn products_scalars_and_zero() {
        let single = record::<f64>(1);
        let pair = metric(&single, 1, 1);
        let found = kronecker(&pair.inputs, &pair.gradients);
        assert!(relative(&found, &dense_metric(&single)) < 1e-10);

        let scalar = Record::from_fn(32, 2, |path, t| {
            (vec![1.0 + t as f64], vec![path as f64 - 7.0])
        });
        let pair = metric(&scalar, 2, 1);
        let found = kronecker(&pair.inputs, &pair.gradients);
        assert!(relative(&found, &dense_metric(&scalar)) < 1e-12);

        let zero = Record::<f32>::from_fn(32, 2, |_, _| (vec![1.0, 2.0], vec![0.0; 3]));
        let mut metric = KfocMetric::new(&KfocSettings::default());
        for _ in 0..2 {
            metric.update(&zero, 0.25).unwrap();
            let inverse = metric.invert(0.25, &Workers::alone()).unwrap();
            let z = Mat::from_fn(3, 2, |i, j| (i + j) as f64);
            let found = inverse.solve(std::slice::from_ref(&z), None).unwrap();
            assert!(relative(&found[0], &(faer::Scale(4.0) * z)) < 1e-12);
        }
    }
}
