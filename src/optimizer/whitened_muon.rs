use super::curvature::{ControlSettings, Curvature, Metric, MetricInverse};
use super::kfac::{Approximation, MapFactors};
use super::muon::newton_schulz;
use super::{Build, Family, Optimizer, Settings, State, Stateful};
use crate::distributed::{Placed, Workers};
use crate::error::Result;
use crate::network::Record;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of whitened Muon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WhitenedMuonSettings {
    /// Decay of the average of past factors at each renewal.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub factor_decay: f64,
    /// What all curvature methods share: damping, length of steps, renewals.
    #[serde(flatten)]
    pub control: ControlSettings,
}

impl Default for WhitenedMuonSettings {
    fn default() -> Self {
        Self {
            factor_decay: 0.6,
            control: ControlSettings::default(),
        }
    }
}

impl Settings for WhitenedMuonSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        self.control.check(key)
    }
}

impl Build for WhitenedMuonSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Curvature::new(self.control, WhitenedMuonMetric::new(self)))
    }

    fn tunable(&self) -> &'static [&'static str] {
        &["damping", "trust_radius", "momentum", "start_learning_rate"]
    }

    fn family(&self) -> Family {
        Family::Curvature
    }
}

/// Muon in the coordinates that K-FAC whitens: for every map
///
/// X = G^{-½} (‖Y‖/‖O‖) O A^{-½},  Y = G^{-½} Z A^{-½},  O = NS(Y)
///
/// with K-FAC's damped factors of independent dates and NS of [`newton_schulz`]. All singular values of the whitened
/// step are about the same, and its Frobenius norm, which is the change of P&L by the factors, is that of K-FAC's
/// G⁻¹ Z A⁻¹; so the maps share a step as under K-FAC, and on a map of one row the step is K-FAC's.
///
/// # References
/// Jordan et al. (2024), "Muon: an optimizer for hidden layers in neural networks", for NS.
#[derive(Debug, Clone)]
pub struct WhitenedMuonMetric {
    decay: f64,
    maps: Vec<MapFactors>,
}

/// (A^{-½}, G^{-½}) of every map.
#[derive(Debug, Clone)]
pub struct WhitenedMuonInverse(Placed<(Mat<f64>, Mat<f64>)>);

impl WhitenedMuonMetric {
    /// The metric before its first record.
    pub fn new(settings: &WhitenedMuonSettings) -> Self {
        Self {
            decay: settings.factor_decay,
            maps: Vec::new(),
        }
    }
}

impl Stateful for WhitenedMuonMetric {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("maps", &mut self.maps)
    }
}

impl Metric for WhitenedMuonMetric {
    type Inverse = WhitenedMuonInverse;

    fn update(&mut self, record: &Record<f32>, _damping: f64) -> Result<f64> {
        let (decay, expand) = (self.decay, Approximation::Expand);
        Ok(MapFactors::update_all(
            &mut self.maps,
            record,
            decay,
            expand,
        ))
    }

    fn invert(&self, damping: f64, workers: &Workers) -> Result<WhitenedMuonInverse> {
        let roots = workers.place(&MapFactors::costs(&self.maps), |map| {
            let (a, g) = self.maps[map].damped(damping);
            Ok((a.inverse_root()?.0, g.inverse_root()?.0))
        })?;
        Ok(WhitenedMuonInverse(roots))
    }
}

impl MetricInverse for WhitenedMuonInverse {
    fn solve(&self, gradient: &[Mat<f64>], _record: Option<&Record<f32>>) -> Result<Vec<Mat<f64>>> {
        Ok(self.0.map(|map, (a, g)| {
            let whitened = g * &gradient[map] * a;
            let orthogonal = newton_schulz(&whitened);
            let size = orthogonal.norm_l2();
            let scale = if size > 0.0 {
                whitened.norm_l2() / size
            } else {
                0.0
            };
            g * (faer::Scale(scale) * orthogonal) * a
        }))
    }

    /// ‖Y‖ over all maps.
    fn norm(&self, _solution: &[Mat<f64>], gradient: &[Mat<f64>]) -> f64 {
        let square =
            |map: usize, (a, g): &(Mat<f64>, Mat<f64>)| (g * &gradient[map] * a).squared_norm_l2();
        let squares = self.0.map(square);
        squares.iter().sum::<f64>().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{right_singular, symmetric_power};
    use crate::optimizer::dense::{random, record, relative};
    use crate::optimizer::kfac::{KfacMetric, KfacSettings};

    const DAMPING: f64 = 0.05;

    fn inverse(record: &Record<f32>) -> WhitenedMuonInverse {
        let mut metric = WhitenedMuonMetric::new(&WhitenedMuonSettings::default());
        metric.update(record, DAMPING).unwrap();
        metric.invert(DAMPING, &Workers::alone()).unwrap()
    }

    fn whitened(record: &Record<f32>, gradient: &[Mat<f64>]) -> Vec<Mat<f64>> {
        inverse(record).solve(gradient, None).unwrap()
    }

    /// With K-FAC's factors C: on the LSTM's map ‖G^½ X A^½‖ is that of K-FAC's step, and G^½ X A^½ has nearly equal
    /// singular values, K-FAC's has not; on the head, a map of one row, both steps are the same.
    #[test]
    fn whitened_muon_is_the_polar_factor_of_kfac() {
        let record = record::<f32>(5);
        let sizes = record.sizes().into_iter();
        let gradient: Vec<Mat<f64>> = sizes.map(|(r, c)| random(r, c, 7)).collect();
        let mut kfac = KfacMetric::new(&KfacSettings {
            approximation: Approximation::Expand,
            ..KfacSettings::default()
        });
        kfac.update(&record, DAMPING).unwrap();
        let kfac = kfac.invert(DAMPING, &Workers::alone()).unwrap();
        let expected = kfac.solve(&gradient, None).unwrap();
        let found = whitened(&record, &gradient);

        let mut maps = Vec::new();
        MapFactors::update_all(&mut maps, &record, 0.9, Approximation::Expand);
        let factors = &maps[0];
        let (a, g) = factors.damped(DAMPING);
        let [a, g] = [a, g].map(|c| symmetric_power(&c.matrix, 0.5, 0.0).unwrap());
        let [found_white, kfac_white] = [&found[0], &expected[0]].map(|x| &g * x * &a);
        let ratio = found_white.norm_l2() / kfac_white.norm_l2();
        assert!((ratio - 1.0).abs() < 1e-9, "{ratio}");
        let norms = inverse(&record).norm(&found, &gradient) / kfac.norm(&expected, &gradient);
        assert!((norms - 1.0).abs() < 1e-9, "{norms}");
        let spread = |m: &Mat<f64>| {
            let (values, _) = right_singular(m).unwrap();
            values[0] / values[values.len() - 1]
        };
        let (found_spread, kfac_spread) = (spread(&found_white), spread(&kfac_white));
        assert!(
            found_spread < 1.8 && kfac_spread > 5.0,
            "{found_spread} {kfac_spread}"
        );

        assert_eq!(gradient[1].nrows(), 1);
        assert!(relative(&found[1], &expected[1]) < 1e-9);
    }

    /// Where both factors are multiples of the identity the step has Muon's direction.
    #[test]
    fn white_factors_give_muon() {
        let unit = |index: usize, size: usize| {
            (0..size).map(|i| f64::from(u8::from(i == index))).collect()
        };
        let record =
            Record::<f32>::from_fn(96, 1, |path, _| (unit(path % 3, 3), unit(path / 3 % 4, 4)));
        let gradient = [random(4, 3, 7)];
        let found = &whitened(&record, &gradient)[0];
        let muon = newton_schulz(&gradient[0]);
        let unit = |m: &Mat<f64>| faer::Scale(1.0 / m.norm_l2()) * m;
        assert!(relative(&unit(found), &unit(&muon)) < 1e-5);
    }
}
