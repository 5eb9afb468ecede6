//! Implied volatilities under the SABR model.

/// The Black–Scholes volatility of an option under SABR dynamics of the forward,
///
/// ```text
/// dF = α F^β dW,   dα = ν α dZ,   d⟨W, Z⟩ = ρ dt
/// ```
///
/// by Hagan's expansion in time. With the lognormal volatility σ = α F^{β−1} now, x = ln(F/K) and a = σ e^{(1−β)x/2},
///
/// ```text
/// σ_B = a / (1 + (1−β)²x²/24 + (1−β)⁴x⁴/1920) · z/χ(z) · (1 + ((1−β)²a²/24 + ρβνa/4 + (2 − 3ρ²)ν²/24) T)
/// z = νx/a,   χ(z) = ln((√(1 − 2ρz + z²) + z − ρ)/(1 − ρ))
/// ```
///
/// It is of first order in ν²T and in a²T. In states that lie so far out that the last factor is no correction any more, it is
/// held within [½, 2].
///
/// # Units
/// σ annualised, ν per √year, T = `expiry` in years.
///
/// # References
/// P. Hagan, D. Kumar, A. Lesniewski and D. Woodward (2002), "Managing smile risk", Wilmott Magazine September, equations 2.15 and
/// 2.17a–c.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HaganVolatility {
    /// The lognormal volatility σ now.
    pub volatility: f64,
    /// The exponent β.
    pub beta: f64,
    /// The volatility ν of the volatility.
    pub nu: f64,
    /// The correlation ρ.
    pub rho: f64,
    /// The time T until expiry.
    pub expiry: f64,
}

impl HaganVolatility {
    /// σ_B at x = ln(F/K).
    pub fn at(&self, x: f64) -> f64 {
        let Self {
            volatility,
            beta,
            nu,
            rho,
            expiry,
        } = *self;
        let skew = (1.0 - beta) * (1.0 - beta);
        let a = volatility * (0.5 * (1.0 - beta) * x).exp();
        if a == 0.0 {
            return 0.0;
        }
        let square = skew * x * x;
        let z = nu * x / a;
        let order = skew * a * a / 24.0
            + 0.25 * rho * beta * nu * a
            + (2.0 - 3.0 * rho * rho) * nu * nu / 24.0;
        let correction = (1.0 + order * expiry).clamp(0.5, 2.0);
        a / (1.0 + square / 24.0 + square * square / 1920.0) * smile(z, rho) * correction
    }
}

/// z/χ(z).
fn smile(z: f64, rho: f64) -> f64 {
    if z.abs() < 1e-3 {
        // 1 − ρz/2 + (2 − 3ρ²)z²/12 + ρ(5 − 6ρ²)z³/24, whose rest is below 10⁻¹².
        let cubic = rho * (5.0 - 6.0 * rho * rho) / 24.0;
        return 1.0 + z * (-0.5 * rho + z * ((2.0 - 3.0 * rho * rho) / 12.0 + z * cubic));
    }
    // χ(z) without cancellation for either sign of z.
    let root = (1.0 - rho * rho).sqrt();
    z / (((z - rho) / root).asinh() + (rho / root).asinh())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two ways to z/χ(z) meet, and χ is that of equation 2.15.
    #[test]
    fn the_smile_is_smooth() {
        for rho in [-0.9, -0.3, 0.0, 0.6] {
            for sign in [-1.0, 1.0] {
                let (below, above) = (
                    smile(sign * 0.999_999e-3, rho),
                    smile(sign * 1.000_001e-3, rho),
                );
                assert!((below - above).abs() < 3e-9, "{rho}: {below} {above}");
                let z = 0.7 * sign;
                let chi = (((1.0 - 2.0 * rho * z + z * z).sqrt() + z - rho) / (1.0 - rho)).ln();
                assert!((smile(z, rho) - z / chi).abs() < 1e-13);
            }
        }
    }

    /// With ν = 0 the model is one of constant elasticity, whose volatility has the slope −(1 − β)/2 · σ in ln K at the money
    /// (Hagan et al., equation 2.19) to leading order; β = 1 and ν = 0 is Black–Scholes.
    #[test]
    fn limits_of_the_parameters() {
        let of = |beta: f64, expiry: f64| HaganVolatility {
            volatility: 0.2,
            beta,
            nu: 0.0,
            rho: 0.0,
            expiry,
        };
        assert_eq!(of(1.0, 2.0).at(0.3), 0.2);
        let h = 1e-5;
        let elastic = of(0.4, 1e-9);
        let slope = (elastic.at(-h) - elastic.at(h)) / (2.0 * h);
        assert!((slope + 0.5 * 0.6 * 0.2).abs() < 1e-8, "{slope}");
    }
}
