use crate::error::Result;
use crate::hedging::{Action, Ledger, Rule};
use crate::market::Paths;
use crate::network::{Features, Parameters, Record, Sweep};
use crate::simd::{BLOCK, Lane, Real};
use faer::Mat;

/// A network that hedges, and what its P&L is differentiated by: sweep, action and ledger, from outputs to money.
#[derive(Clone, Copy)]
pub struct Hedge<'a, R: Real> {
    /// What moves the network along paths.
    pub sweep: &'a dyn Sweep<R>,
    /// The network's weights.
    pub parameters: &'a Parameters,
    /// What the network sees of a date.
    pub features: &'a Features,
    /// How positions come of the network's outputs.
    pub action: Action,
    /// What settles the positions.
    pub ledger: &'a Ledger,
    /// The money u that counts as one in derivatives: they are those of P&L over u.
    pub unit: f64,
}

impl<R: Real> Hedge<'_, R> {
    /// Writes the sweep record of P&L over u on `paths` into `record`.
    ///
    /// # Errors
    /// Those of the sweep.
    pub fn record(&self, paths: &Paths<R>, record: &mut Record<R>) -> Result<()> {
        let seeds = |block: usize, outputs: &[Lane<R>], out: &mut [Lane<R>]| {
            self.seed(outputs, out, |positions, out| {
                self.ledger.derivative(&paths.block(block), positions, out);
            });
        };
        self.sweep
            .record(self.parameters, self.features, paths, &seeds, record)
    }

    /// ∂(ρ/u)/∂W for every linear map: Σ_b w_b J_b, by a backward sweep over the paths with weight w_b = ∂ρ/∂z_b alone.
    ///
    /// With `martingale`, the ledger without costs, a control variate is added:
    ///
    /// (1/n) Σ_b Σ_t ∂δ_{t,b}/∂W · (gain of one unit over period t)
    ///
    /// Its mean is zero, because δ_t is known at t and financed prices are martingales; it makes the weights of the gains
    /// w_b + 1/n, which have mean zero as well. It takes a backward sweep over all paths.
    ///
    /// # Errors
    /// Those of the sweep.
    pub fn risk_gradient(
        &self,
        paths: &Paths<R>,
        weights: &[f64],
        martingale: Option<&Ledger>,
    ) -> Result<Vec<Mat<f64>>> {
        let weighted: Vec<usize> = (0..weights.len())
            .filter(|&path| martingale.is_some() || weights[path] != 0.0)
            .collect();
        if weighted.is_empty() {
            let maps = self.parameters.maps().iter();
            return Ok(maps.map(|map| Mat::zeros(map.rows, map.columns)).collect());
        }
        let selected = paths.gather(&weighted);
        let derivative = |block: usize, positions: &[Lane<R>], out: &mut [Lane<R>]| {
            self.ledger
                .derivative(&selected.block(block), positions, out);
            for lane in 0..BLOCK {
                let weight = weighted
                    .get(block * BLOCK + lane)
                    .map_or(0.0, |&path| weights[path]);
                out.iter_mut().for_each(|seed| seed[lane] *= R::of(weight));
            }
            if let Some(martingale) = martingale {
                let mut gains = vec![[R::ZERO; BLOCK]; out.len()];
                martingale.derivative(&selected.block(block), positions, &mut gains);
                let share = R::of(1.0 / weights.len() as f64);
                for lane in 0..selected.active(block) {
                    for (seed, gain) in out.iter_mut().zip(&gains) {
                        seed[lane] += share * gain[lane];
                    }
                }
            }
        };
        let seeds = |block: usize, outputs: &[Lane<R>], out: &mut [Lane<R>]| {
            self.seed(outputs, out, |positions, out| {
                derivative(block, positions, out)
            });
        };
        self.sweep
            .gradient(self.parameters, self.features, &selected, &seeds)
    }

    /// Writes the derivative of P&L over u in the outputs of one block, where `derivative` writes that of P&L in the positions.
    fn seed(
        &self,
        outputs: &[Lane<R>],
        out: &mut [Lane<R>],
        derivative: impl FnOnce(&[Lane<R>], &mut [Lane<R>]),
    ) {
        let instruments = self.ledger.instruments();
        let mut positions = outputs.to_vec();
        self.action.positions(instruments, &mut positions);
        derivative(&positions, out);
        let share = R::of(1.0 / self.unit);
        out.iter_mut().flatten().for_each(|seed| *seed *= share);
        self.action.pull_back(instruments, outputs, &positions, out);
    }
}
