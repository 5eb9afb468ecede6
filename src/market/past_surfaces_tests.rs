use super::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// So many days on which returns and factors move like an index's: the volatility at the money follows a square-root law about 20 %, falls
/// as the spot rises and is above what returns realise by a tenth.
pub fn synthetic(days: usize, seed: u64) -> (Vec<f64>, Vec<SurfaceFactors>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let (mut close, mut factors) = (100.0, [0.21, -0.02, 0.2, -0.03, 0.0]);
    let dt = 1.0 / TRADING_DAYS;
    let (mut closes, mut surfaces) = (Vec::new(), Vec::new());
    for _ in 0..days {
        let surface = SurfaceFactors::from_array(factors);
        closes.push(close);
        surfaces.push(surface);
        let shocks: [f64; 6] = std::array::from_fn(|_| normal());
        let sigma = surface.one_month();
        close *= (0.9 * sigma * dt.sqrt() * shocks[0]).exp();
        let level = -0.7 * shocks[0] + 0.51f64.sqrt() * shocks[1];
        factors[0] += 3.0 * (0.21 - factors[0]) * dt + 0.5 * factors[0] * dt.sqrt() * level;
        factors[0] = factors[0].max(0.05);
        let others = [
            (1, -0.02, 0.15),
            (2, 0.2, 0.08),
            (3, -0.03, 0.05),
            (4, 0.0, 0.03),
        ];
        for (i, mean, deviation) in others {
            factors[i] += 10.0 * (mean - factors[i]) * dt + deviation * dt.sqrt() * shocks[i + 1];
        }
    }
    (closes, surfaces)
}

/// Those days as the past of a market.
pub fn synthetic_past(days: usize, seed: u64) -> PastSurfaces {
    let (closes, surfaces) = synthetic(days, seed);
    PastSurfaces::new(&closes, &surfaces).unwrap()
}

/// K is ln E e^{sZ} to 10⁻⁷ for steps of up to 6 % of a skewed variate with heavy tails.
#[test]
fn cumulants_are_those_of_the_values() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let raw: Vec<f64> = (0..4000)
        .map(|_| {
            let z: f64 = StandardNormal.sample(&mut random);
            z + 0.2 * z.abs() * z - 0.1 * z * z
        })
        .collect();
    let weight = 1.0 / raw.len() as f64;
    let mean = raw.iter().sum::<f64>() * weight;
    let values: Vec<f64> = raw.iter().map(|z| z - mean).collect();
    let cumulants = Cumulants::new(values.iter().map(|z| (*z, weight)));
    for s in [0.0, 0.005, 0.02, 0.06] {
        let exact: f64 = values.iter().map(|z| (s * z).exp() * weight).sum();
        let powers = cumulants.coefficients().into_iter().zip(2..);
        let found: f64 = powers.map(|(c, k)| c * f64::powi(s, k)).sum();
        assert!((found - exact.ln()).abs() < 1e-7, "{s}: {found} {exact}");
    }
}

/// Days that are too few, a close or a level that is not above 0, and a number that is not finite are refused with their place.
#[test]
fn defects_are_refused() {
    let (closes, surfaces) = synthetic(300, 1);
    let said = |closes: &[f64], surfaces: &[SurfaceFactors]| {
        PastSurfaces::new(closes, surfaces).unwrap_err().to_string()
    };
    assert!(said(&closes[..251], &surfaces[..251]).contains("at least 252 days, 251"));
    assert!(said(&closes[..299], &surfaces).contains("as many as closes, 299, were 300"));
    let mut wrong = closes.clone();
    wrong[6] = 0.0;
    assert!(said(&wrong, &surfaces).contains("close 7 must be finite and above 0, was 0"));
    let mut wrong = surfaces.clone();
    wrong[2].smile = f64::NAN;
    assert!(said(&closes, &wrong).contains("smile of day 3 must be finite, was NaN"));
    wrong[2] = SurfaceFactors {
        level: -0.1,
        ..surfaces[2]
    };
    assert!(said(&closes, &wrong).contains("level of day 3 must be above 0, was -0.1"));
}
