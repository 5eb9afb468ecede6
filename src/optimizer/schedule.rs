use std::f64::consts::PI;

/// A linear warm-up over `warm_up` steps times a half cosine from 1 to 0 over the whole training.
///
/// min(1, (k + 1)/w) · ½(1 + cos π p) at step k, `progress` p ∈ [0, 1) being the share of the training that is over.
pub fn cosine_with_warm_up(step: usize, progress: f64, warm_up: usize) -> f64 {
    let rise = ((step + 1) as f64 / warm_up.max(1) as f64).min(1.0);
    rise * 0.5 * (1.0 + (PI * progress).cos())
}
