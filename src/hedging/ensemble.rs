use super::Policy;
use crate::contract::{Contract, Limits, Standing};
use crate::error::Result;
use crate::market::Paths;
use crate::simd::{BLOCK, Lane};

/// Several policies of which every position is the mean: what policies that differ by the seeds of their trainings agree on.
///
/// Bounds of positions, trades and values that all of them keep, their mean keeps too; it is rounded to lots.
pub struct Ensemble<'a> {
    /// The policies, one at least.
    pub members: Vec<&'a dyn Policy>,
    /// The limits that the mean keeps.
    pub limits: &'a Limits,
}

impl Policy for Ensemble<'_> {
    fn positions(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        let mut sum: Vec<Lane<f64>> = Vec::new();
        for member in &self.members {
            let positions = member.positions(contract, paths)?;
            if sum.is_empty() {
                sum = positions;
                continue;
            }
            for (sum, own) in sum
                .as_flattened_mut()
                .iter_mut()
                .zip(positions.as_flattened())
            {
                *sum += own;
            }
        }
        let share = 1.0 / self.members.len() as f64;
        sum.as_flattened_mut().iter_mut().for_each(|x| *x *= share);
        self.hold(paths, &mut sum);
        Ok(sum)
    }
}

impl Ensemble<'_> {
    /// What the ensemble of the policies of an optimizer is called, as no optimizer can be.
    pub fn name(optimizer: &str) -> String {
        format!("{optimizer} ensemble")
    }

    /// Makes of positions, `[own blocks][steps][instruments][BLOCK]`, what the limits allow.
    fn hold(&self, paths: &Paths<f64>, positions: &mut [Lane<f64>]) {
        if self.limits.is_none() {
            return;
        }
        let (steps, count) = (paths.steps(), paths.instruments().len());
        let blocks = positions.chunks_exact_mut(steps * count);
        for (block, dates) in paths.own().zip(blocks) {
            let data = paths.block(block);
            let mut held = vec![[0.0; BLOCK]; count];
            for (t, now) in dates.chunks_exact_mut(count).enumerate() {
                let prices: Vec<Lane<f64>> = (0..count).map(|one| data.price(one)[t]).collect();
                let standing = Standing {
                    held: &held,
                    prices: &prices,
                };
                self.limits.hold(standing, now);
                held.copy_from_slice(now);
            }
        }
        super::close_where_ended(paths, 0..paths.steps(), positions);
    }
}

#[cfg(test)]
#[path = "ensemble_tests.rs"]
mod tests;
