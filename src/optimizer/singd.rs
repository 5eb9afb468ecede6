use super::curvature::{ControlSettings, Curvature, Metric, MetricInverse};
use super::inverse_root::{InverseRoot, Move};
use super::kfac::{balance, inversion_cost};
use super::{Build, Empty, Family, Optimizer, Settings, State, Stateful};
use crate::distributed::{Placed, Workers};
use crate::error::Result;
use crate::network::Record;
use crate::simd::Real;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the two factors share the damped metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// Natural-gradient descent on the inverse factors: each sees the other's trace, and λ is the metric's own.
    Ingd,
    /// Inverse-free K-FAC: each factor on its own, with damping factored as in K-FAC.
    Ikfac,
}

/// Settings of SINGD with dense factors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SingdSettings {
    /// How the inverse factors move.
    pub variant: Variant,
    /// β₁, how far a renewal moves the factors.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub factor_rate: f64,
    /// α₁, decay of the momentum of the factors; INGD only.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub factor_momentum: f64,
    /// What all curvature methods share: damping, length of steps, renewals.
    #[serde(flatten)]
    pub control: ControlSettings,
}

impl Default for SingdSettings {
    fn default() -> Self {
        Self {
            variant: Variant::Ikfac,
            factor_rate: 0.1,
            factor_momentum: 0.5,
            control: ControlSettings {
                factor_period: 2,
                ..ControlSettings::default()
            },
        }
    }
}

impl Settings for SingdSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        self.control.check(key)
    }
}

impl Build for SingdSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Curvature::new(self.control, SingdMetric::new(self)))
    }

    fn family(&self) -> Family {
        Family::Curvature
    }
}

/// The inverse roots of one map's factors: K of inputs and C of gradients.
#[derive(Debug, Clone)]
struct MapMetric {
    inputs: InverseRoot,
    gradients: InverseRoot,
}

impl Empty for MapMetric {
    fn empty() -> Self {
        let root = || InverseRoot::new(Mat::new());
        Self {
            inputs: root(),
            gradients: root(),
        }
    }
}

impl Stateful for MapMetric {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("inputs", &mut self.inputs)?;
        state.field("gradients", &mut self.gradients)
    }
}

impl MapMetric {
    /// From the sizes of the first factors.
    fn new(a: &Mat<f64>, g: &Mat<f64>, damping: f64) -> Self {
        let pi = balance(a, g);
        Self {
            inputs: InverseRoot::of_size(a, pi * damping.sqrt()),
            gradients: InverseRoot::of_size(g, damping.sqrt() / pi),
        }
    }

    fn update(&mut self, a: &Mat<f64>, g: &Mat<f64>, settings: &SingdSettings, damping: f64) {
        let (of_inputs, of_gradients) = match settings.variant {
            Variant::Ingd => {
                let by = |weight: f64, square: f64| Move {
                    weight,
                    damping: damping * square,
                    momentum: settings.factor_momentum,
                    rate: settings.factor_rate,
                };
                (
                    by(self.gradients.mean_trace(g), self.gradients.mean_square()),
                    by(self.inputs.mean_trace(a), self.inputs.mean_square()),
                )
            }
            Variant::Ikfac => {
                let pi = balance(a, g);
                let by = |damping: f64| Move {
                    weight: 1.0,
                    damping,
                    momentum: 0.0,
                    rate: settings.factor_rate,
                };
                (by(pi * damping.sqrt()), by(damping.sqrt() / pi))
            }
        };
        self.inputs.take(a, of_inputs);
        self.gradients.take(g, of_gradients);
    }
}

/// Inverse-free natural gradient with dense Kronecker factors: K-FAC's inverse, learned by matrix products alone.
///
/// With A = E (1/T) Σ_t a aᵀ and G = E Σ_t g gᵀ of a record, K for inputs and C for gradients move by
/// [`InverseRoot::take`]: INGD with w_K = tr(CᵀGC)/d_C and λ_K = λ tr(CᵀC)/d_C (and the same with the factors
/// exchanged), IKFAC with w = 1, no momentum and factored damping. The step is C Cᵀ Z K Kᵀ. Both start at the multiple of
/// the identity that the first factors' traces give.
///
/// # Long trainings
/// After 5,000 steps on the study's P1, two seeds, it ends with K-FAC: 2.663 on batches of 32 paths and 2.627 on 256 (K-FAC
/// 2.670 and 2.626). Single gradients of 32 paths had norms up to 240, which are clipped.
///
/// # References
/// Lin, Dangel, Eschenhagen, Neklyudov, Kristiadi, Turner and Makhzani (2024), "Structured inverse-free natural
/// gradient", figures 1 and 3.
#[derive(Debug, Clone)]
pub struct SingdMetric {
    settings: SingdSettings,
    maps: Vec<MapMetric>,
}

impl SingdMetric {
    /// The metric before its first record.
    pub fn new(settings: &SingdSettings) -> Self {
        Self {
            settings: *settings,
            maps: Vec::new(),
        }
    }

    /// Moves the factors by a record whose gradients are scaled by √h, towards the inverse at damping λ.
    pub fn average_in<R: Real>(&mut self, record: &Record<R>, damping: f64) {
        let paths = record.paths() as f64;
        for map in 0..record.sizes().len() {
            let moments = record.moments(map, 0);
            let a = faer::Scale(1.0 / (paths * record.steps() as f64)) * moments.inputs;
            let g = faer::Scale(1.0 / paths) * moments.gradients;
            if self.maps.len() == map {
                self.maps.push(MapMetric::new(&a, &g, damping));
            }
            self.maps[map].update(&a, &g, &self.settings, damping);
        }
    }
}

impl Stateful for SingdMetric {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("maps", &mut self.maps)
    }
}

/// The inverse factors (K Kᵀ, C Cᵀ) of every map.
#[derive(Debug, Clone)]
pub struct SingdInverse(Placed<(Mat<f64>, Mat<f64>)>);

impl Metric for SingdMetric {
    type Inverse = SingdInverse;

    /// The share is 1 − β₁ to first order in β₁.
    fn update(&mut self, record: &Record<f32>, damping: f64) -> Result<f64> {
        let first = self.maps.is_empty();
        self.average_in(record, damping);
        Ok(if first {
            0.0
        } else {
            1.0 - self.settings.factor_rate
        })
    }

    /// The factors have their damping in them, and approach another one at the next renewals.
    fn invert(&self, _damping: f64, workers: &Workers) -> Result<SingdInverse> {
        let cost = |map: &MapMetric| inversion_cost(&map.inputs.root, &map.gradients.root);
        let costs: Vec<f64> = self.maps.iter().map(cost).collect();
        let inverse = |map: &MapMetric| (map.inputs.inverse(), map.gradients.inverse());
        let inverses = workers.place(&costs, |map| Ok(inverse(&self.maps[map])))?;
        Ok(SingdInverse(inverses))
    }
}

impl MetricInverse for SingdInverse {
    fn solve(&self, gradient: &[Mat<f64>], _record: Option<&Record<f32>>) -> Result<Vec<Mat<f64>>> {
        let solve = |map: usize, (inputs, gradients): &(Mat<f64>, Mat<f64>)| {
            gradients * &gradient[map] * inputs
        };
        Ok(self.0.map(solve))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::symmetric_power;
    use crate::optimizer::dense::{inverse, kronecker, random, record, relative, vec};
    use crate::optimizer::kfac::{SymmetricChain, factored_damping};

    fn curvature(size: usize, seed: u64) -> Mat<f64> {
        let x = random(size, size + 2, seed);
        &x * x.transpose()
    }

    fn plus(m: &Mat<f64>, damping: f64) -> Mat<f64> {
        m + faer::Scale(damping) * Mat::<f64>::identity(m.nrows(), m.ncols())
    }

    fn ikfac(rate: f64, damping: f64) -> Move {
        Move {
            weight: 1.0,
            damping,
            momentum: 0.0,
            rate,
        }
    }

    /// Identity 17: from K Kᵀ = (S₀ + λ)⁻¹ one move of IKFAC is K-FAC's averaged and inverted factor up to β₁²: half the
    /// rate, a quarter of the error.
    #[test]
    fn ikfac_is_kfac_to_first_order_in_its_rate() {
        let (old, new, damping) = (curvature(4, 1), curvature(4, 2), 0.3);
        let error = |rate: f64| {
            let mut root =
                InverseRoot::new(symmetric_power(&plus(&old, damping), -0.5, 0.0).unwrap());
            root.take(&new, ikfac(rate, damping));
            let average = faer::Scale(1.0 - rate) * &old + faer::Scale(rate) * &new;
            relative(&root.inverse(), &inverse(&plus(&average, damping)))
        };
        let (whole, half) = (error(1e-3), error(5e-4));
        assert!(
            whole < 1e-3 && (3.9..4.1).contains(&(whole / half)),
            "{whole:e} {half:e}"
        );
    }

    /// Identity 17, in the limit of many moves on one matrix: K Kᵀ → (S + λ)⁻¹, for both factors of a record, so that
    /// IKFAC's step is that of K-FAC with independent dates.
    #[test]
    fn ikfac_ends_at_kfac() {
        let record = record::<f64>(6);
        let settings = SingdSettings {
            variant: Variant::Ikfac,
            ..SingdSettings::default()
        };
        let mut metric = SingdMetric::new(&settings);
        (0..4000).for_each(|_| metric.average_in(&record, 0.1));
        let moments = record.moments(0, 0);
        let paths = record.paths() as f64;
        let (a, g) = factored_damping(
            &(faer::Scale(1.0 / (6.0 * paths)) * moments.inputs),
            &(faer::Scale(1.0 / paths) * moments.gradients),
            0.1,
        );
        let sizes = record.sizes().into_iter();
        let z: Vec<Mat<f64>> = sizes
            .map(|(rows, columns)| random(rows, columns, 3))
            .collect();
        let expected = SymmetricChain::independent(&a, &g).unwrap().apply(&z[0]);
        let inverse = metric.invert(0.1, &Workers::alone()).unwrap();
        let error = relative(&inverse.solve(&z, None).unwrap()[0], &expected);
        assert!(error < 1e-6, "{error:e}");
    }

    /// INGD ends where each factor is the inverse of the damped metric averaged over the other:
    /// tr(CᵀGC)/d_C · A + λ tr(CᵀC)/d_C · I = (K Kᵀ)⁻¹. In the metric's own terms K ⊗ C whitens A ⊗ G + λ I on average
    /// over either side, which IKFAC does not.
    #[test]
    fn ingd_whitens_the_damped_metric_on_average() {
        let (a, g, damping) = (curvature(3, 1), curvature(4, 2), 0.3);
        let settings = |variant| SingdSettings {
            variant,
            ..SingdSettings::default()
        };
        let metric = plus(&kronecker(&a, &g), damping);
        let distance = |variant: Variant| {
            let mut map = MapMetric::new(&a, &g, damping);
            (0..4000).for_each(|_| map.update(&a, &g, &settings(variant), damping));
            let root = kronecker(&map.inputs.root, &map.gradients.root);
            let whitened = root.transpose() * &metric * &root;
            let of_inputs = Mat::from_fn(3, 3, |i, j| {
                (0..4)
                    .map(|k| whitened[(4 * i + k, 4 * j + k)])
                    .sum::<f64>()
                    / 4.0
            });
            let of_gradients = Mat::from_fn(4, 4, |i, j| {
                (0..3)
                    .map(|k| whitened[(4 * k + i, 4 * k + j)])
                    .sum::<f64>()
                    / 3.0
            });
            relative(&of_inputs, &Mat::identity(3, 3))
                .max(relative(&of_gradients, &Mat::identity(4, 4)))
        };
        assert!(distance(Variant::Ingd) < 1e-9);
        assert!(distance(Variant::Ikfac) > 1e-2);
    }

    /// Zero curvature leaves the damping: the step tends to z/λ.
    #[test]
    fn zero_curvature_leaves_the_damping() {
        let zero = Record::<f64>::from_fn(32, 2, |_, _| (vec![0.0; 2], vec![0.0; 3]));
        for variant in [Variant::Ingd, Variant::Ikfac] {
            let settings = SingdSettings {
                variant,
                ..SingdSettings::default()
            };
            let mut metric = SingdMetric::new(&settings);
            (0..1000).for_each(|_| metric.average_in(&zero, 0.25));
            let z = random(3, 2, 1);
            let inverse = metric.invert(0.25, &Workers::alone()).unwrap();
            let found = &inverse.solve(std::slice::from_ref(&z), None).unwrap()[0];
            assert!(relative(&vec(found), &vec(&(faer::Scale(4.0) * z))) < 1e-6);
        }
    }
}
