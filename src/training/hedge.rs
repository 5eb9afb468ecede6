use crate::distributed::Portable;
use crate::error::Result;
use crate::hedging::Ledger;
use crate::market::Paths;
use crate::network::{Features, Parameters, Record, Sweep};
use crate::simd::{BLOCK, Lane, Real};
use faer::Mat;

/// A network that hedges, and what its P&L is differentiated by: sweep and ledger, from weights to money.
#[derive(Clone, Copy)]
pub struct Hedge<'a, R: Real> {
    /// What moves the network and its action along paths.
    pub sweep: &'a dyn Sweep<R>,
    /// The network's weights.
    pub parameters: &'a Parameters,
    /// What the network sees of a date.
    pub features: &'a Features,
    /// What settles the positions.
    pub ledger: &'a Ledger,
    /// The money u that counts as one in derivatives: they are those of P&L over u.
    pub unit: f64,
}

impl<R: Real + Portable> Hedge<'_, R> {
    /// Writes the sweep record of P&L over u on `paths`, spread like them, into `record`.
    ///
    /// # Errors
    /// Those of the sweep.
    pub fn record(&self, paths: &Paths<R>, record: &mut Record<R>) -> Result<()> {
        let seeds = |block: usize, positions: &[Lane<R>], out: &mut [Lane<R>]| {
            self.ledger.derivative(&paths.block(block), positions, out);
            self.in_units(out);
        };
        self.sweep
            .record(self.parameters, self.features, paths, &seeds, record)
    }

    /// ∂(ρ/u)/∂W for every linear map: Σ_b w_b J_b, by a backward sweep over the paths with weight w_b = ∂ρ/∂z_b alone. The weights
    /// are those of the paths of all ranks.
    ///
    /// With `martingale`, the ledger without costs and shares k_b of the cash that the risk measure counts, a control variate is added:
    ///
    /// Σ_b k_b Σ_t ∂δ_{t,b}/∂W · (gain of one unit over period t)
    ///
    /// With k_b = k m_b/Σ m, k the cash and m_b the masses of paths, its mean is zero, because δ_t is known at t and financed prices are
    /// martingales; it makes the weights of the gains w_b + k_b, which have mean zero as well. It takes a backward sweep over all paths
    /// that have a share.
    ///
    /// # Errors
    /// Those of the sweep.
    pub fn risk_gradient(
        &self,
        paths: &Paths<R>,
        weights: &[f64],
        martingale: Option<(&Ledger, &[f64])>,
    ) -> Result<Vec<Mat<f64>>> {
        let shared = |path: usize| martingale.is_some_and(|(_, shares)| shares[path] != 0.0);
        let weighted: Vec<usize> = (0..weights.len())
            .filter(|&path| weights[path] != 0.0 || shared(path))
            .collect();
        if weighted.is_empty() {
            let maps = self.parameters.maps().iter();
            return Ok(maps.map(|map| Mat::zeros(map.rows, map.columns)).collect());
        }
        let selected = paths.gather(&weighted);
        let seeds = |block: usize, positions: &[Lane<R>], out: &mut [Lane<R>]| {
            self.ledger
                .derivative(&selected.block(block), positions, out);
            for lane in 0..BLOCK {
                let weight = weighted
                    .get(block * BLOCK + lane)
                    .map_or(0.0, |&path| weights[path]);
                out.iter_mut().for_each(|seed| seed[lane] *= R::of(weight));
            }
            if let Some((martingale, shares)) = martingale {
                let mut gains = vec![[R::ZERO; BLOCK]; out.len()];
                martingale.derivative(&selected.block(block), positions, &mut gains);
                for lane in 0..selected.active(block) {
                    let share = R::of(shares[weighted[block * BLOCK + lane]]);
                    for (seed, gain) in out.iter_mut().zip(&gains) {
                        seed[lane] += share * gain[lane];
                    }
                }
            }
            self.in_units(out);
        };
        self.sweep
            .gradient(self.parameters, self.features, &selected, &seeds)
    }

    /// Turns derivatives of P&L into those of P&L over u.
    fn in_units(&self, derivative: &mut [Lane<R>]) {
        let share = R::of(1.0 / self.unit);
        derivative
            .iter_mut()
            .flatten()
            .for_each(|seed| *seed *= share);
    }
}
