//! The standard normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The standard normal density, `φ(x) = e^{−x²/2} / √(2π)`.
pub fn normal_pdf(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// The standard normal distribution function, `Φ(x) = ½ erfc(−x/√2)`.
///
/// The complementary error function keeps full *relative* precision in the lower tail, where
/// `½(1 + erf(x/√2))` has none left below `x ≈ −8`.
///
/// ```
/// use deephedge::pricing::normal_cdf;
///
/// // Abramowitz & Stegun (1964), table 26.2: −log₁₀ Q(10) = 23.11805.
/// assert!((normal_cdf(-10.0) / 7.619_853_024_160_525e-24 - 1.0).abs() < 1e-13);
/// ```
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The standard normal quantile, `Φ⁻¹(p)`: `−∞` at 0, `+∞` at 1, NaN outside `[0, 1]`.
///
/// Three rational approximations of degree seven, accurate to about one part in 10¹⁶.
///
/// # References
///
/// M. J. Wichura (1988), "Algorithm AS 241: The percentage points of the normal distribution",
/// Applied Statistics 37(3), routine PPND16.
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * ratio(r, &CENTRE_NUMERATOR, &CENTRE_DENOMINATOR);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = (-tail.ln()).sqrt();
    let magnitude = if r <= 5.0 {
        ratio(r - 1.6, &MIDDLE_NUMERATOR, &MIDDLE_DENOMINATOR)
    } else {
        ratio(r - 5.0, &TAIL_NUMERATOR, &TAIL_DENOMINATOR)
    };
    magnitude.copysign(q)
}

fn ratio(x: f64, numerator: &[f64; 8], denominator: &[f64; 8]) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
    horner(numerator) / horner(denominator)
}

const CENTRE_NUMERATOR: [f64; 8] = [
    3.387_132_872_796_366_5,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const CENTRE_DENOMINATOR: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_66e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_854e3,
];
const MIDDLE_NUMERATOR: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const MIDDLE_DENOMINATOR: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const TAIL_NUMERATOR: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const TAIL_DENOMINATOR: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_445_8e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// `mpmath.ncdf` with 40 digits, rounded to f64.
    #[test]
    fn distribution_function_matches_published_values() {
        let published = [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.0, 0.158_655_253_931_457_05),
            (-5.0, 2.866_515_718_791_939e-7),
            (-20.0, 2.753_624_118_606_234e-89),
            (-37.0, 5.725_571_222_524_576e-300),
        ];
        for (x, expected) in published {
            let error = normal_cdf(x) / expected - 1.0;
            // The argument's own rounding is magnified by x², so the bound follows it.
            let bound = 4e-16 * (1.0 + x * x);
            assert!(error.abs() < bound, "Φ({x}): relative error {error:e}");
        }
    }

    /// `Φ(x) + Φ(−x) = 1`, and the density is the slope of `Φ`.
    #[test]
    fn symmetry_and_density() {
        for i in -40..=40 {
            let x = f64::from(i) / 8.0;
            assert!((normal_cdf(x) + normal_cdf(-x) - 1.0).abs() < 1e-15);
            let h = 1e-5;
            let slope = (normal_cdf(x + h) - normal_cdf(x - h)) / (2.0 * h);
            assert!((slope - normal_pdf(x)).abs() < 1e-10, "at {x}");
        }
    }

    /// The two check values printed with AS 241, and `Φ(Φ⁻¹(p)) = p` down to `p = 10⁻³⁰⁰`.
    #[test]
    fn quantile_matches_as241_and_inverts_the_cdf() {
        assert!((normal_quantile(0.25) - -0.674_489_750_196_081_7).abs() < 1e-15);
        assert!((normal_quantile(0.001) - -3.090_232_306_167_813_5).abs() < 1e-15);
        assert!((normal_quantile(1e-20) - -9.262_340_089_798_408).abs() < 1e-14);
        for exponent in 1..=300 {
            let p = 10f64.powi(-exponent);
            let x = normal_quantile(p);
            let error = normal_cdf(x) / p - 1.0;
            assert!(error.abs() < 1e-15 * (1.0 + x * x), "p = {p:e}: {error:e}");
        }
        for i in 1..1000 {
            let p = f64::from(i) / 1000.0;
            assert!((normal_cdf(normal_quantile(p)) - p).abs() < 3e-16);
        }
    }

    #[test]
    fn quantile_at_and_beyond_the_ends() {
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(-1e-9).is_nan());
        assert!(normal_quantile(f64::NAN).is_nan());
    }
}
