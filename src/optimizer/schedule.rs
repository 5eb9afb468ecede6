use std::f64::consts::PI;

/// A linear warm-up over `warm_up` steps times a half cosine from 1 to 0 over all steps.
///
/// min(1, (k + 1)/w) · ½(1 + cos(π k/n)) for step k of n.
pub fn cosine_with_warm_up(step: usize, steps: usize, warm_up: usize) -> f64 {
    let rise = ((step + 1) as f64 / warm_up.max(1) as f64).min(1.0);
    rise * 0.5 * (1.0 + (PI * step as f64 / steps as f64).cos())
}
