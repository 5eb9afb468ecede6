//! Deltas at a volatility that is adjusted to costs.

use super::closed_form::{Deltas, Moment, adjusted};
use super::{Ask, CentreKind, CentreOnPaths, Needs, Parameter, Wants};
use crate::error::Result;
use std::f64::consts::PI;
use std::ops::Range;

/// Leland's delta, ∂V/∂S at the volatility
///
/// σ̂² = σ² (1 ± √(8/π) c/(σ√Δt))
///
/// with c what a trade costs as a share of its value, one way, and Δt the time between dates. Leland's own k is the cost of buying and
/// selling, 2c, and his number √(2/π) k/(σ√Δt). The sign is that of Γ.
///
/// # References
/// Leland (1985), "Option pricing and replication with transactions costs", equation 10.
pub struct Leland;

/// Leland's number √(8/π) c/(σ√Δt).
fn number(moment: &Moment) -> f64 {
    (8.0 / PI).sqrt() * moment.cost / (moment.volatility * moment.dt.sqrt())
}

impl CentreKind for Leland {
    fn title(&self) -> &'static str {
        "Leland's delta"
    }

    fn needs(&self) -> Needs {
        Needs::DELTA
    }

    fn gives(&self) -> Wants {
        Wants::ALL
    }

    fn further_parameters(&self) -> &'static [Parameter] {
        &[Parameter::Scale]
    }

    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>> {
        let leland = |moment: &Moment| match moment.volatility == 0.0 {
            // σ̂² = σ² ± √(8/π) c σ/√Δt
            true => 0.0,
            false => adjusted(moment, number(moment)),
        };
        Ok(Box::new(Deltas::new(ask, dates, Some(leland))?))
    }
}

/// The middle of Zakamouline's band, ∂V/∂S at the volatility
///
/// σ̂² = σ² (1 ± K),  K = 4.76 c^{0.78} τ^{−0.02} (e^{−rτ}/σ)^{0.25} (λ S² |Γ|)^{0.15}
///
/// with c what a trade costs as a share of its value and λ the risk aversion. The numbers are fitted to the optimal hedge of a call
/// under exponential utility. The sign is that of Γ.
///
/// # References
/// Zakamouline (2006), "Efficient analytic approximation of the optimal hedging strategy for a European call option with transaction
/// costs", Quantitative Finance 6; as Sinclair (2008), "Volatility trading", quotes it in equations 4.11 to 4.15.
pub struct Zakamouline;

/// The share K of the variance that costs add.
fn share(moment: &Moment) -> f64 {
    let Moment {
        volatility,
        gamma,
        spot,
        left,
        discount,
        cost,
        aversion,
        dt: _,
    } = *moment;
    4.76 * cost.powf(0.78) / left.powf(0.02)
        * (discount / volatility).powf(0.25)
        * (aversion * spot * spot * gamma.abs()).powf(0.15)
}

impl CentreKind for Zakamouline {
    fn title(&self) -> &'static str {
        "Zakamouline's delta"
    }

    fn needs(&self) -> Needs {
        Needs::DELTA
    }

    fn gives(&self) -> Wants {
        Wants::ALL
    }

    fn further_parameters(&self) -> &'static [Parameter] {
        &[Parameter::Scale]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter::Aversion]
    }

    fn moves_with_parameters(&self) -> bool {
        true
    }

    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>> {
        let zakamouline = |moment: &Moment| match moment.volatility == 0.0 || moment.cost == 0.0 {
            true => moment.volatility,
            false => adjusted(moment, share(moment)),
        };
        Ok(Box::new(Deltas::new(ask, dates, Some(zakamouline))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(cost: f64, gamma: f64) -> Moment {
        Moment {
            volatility: 0.2,
            gamma,
            spot: 100.0,
            left: 0.25,
            discount: 1.0,
            cost,
            dt: 1.0 / 252.0,
            aversion: 1.0,
        }
    }

    /// Leland's own example of weekly revisions: with a round trip of 1 % and σ = .2, σ̂² = σ² (1 + √(2/π) .01/(.2 √(1/52))), a
    /// volatility of .22695.
    #[test]
    fn lelands_volatility() {
        let weekly = Moment {
            dt: 1.0 / 52.0,
            ..moment(0.005, 0.02)
        };
        let expected = 0.2 * (1.0 + (2.0 / PI).sqrt() * 0.01 / (0.2 * (1f64 / 52.0).sqrt())).sqrt();
        assert!((adjusted(&weekly, number(&weekly)) - expected).abs() < 1e-15);
        assert!((expected - 0.22695).abs() < 1e-5, "{expected}");
    }

    /// Whoever is long gamma hedges at a lower volatility, whoever is short at a higher one; without costs, and without gamma, it is
    /// the model's; where costs eat the whole variance it is 0.
    #[test]
    fn the_sign_is_that_of_gamma() {
        for (cost, gamma) in [(0.0, 0.02), (0.0, -0.02), (0.01, 0.0)] {
            let moment = moment(cost, gamma);
            assert_eq!(adjusted(&moment, number(&moment)), 0.2);
            assert_eq!(adjusted(&moment, share(&moment)), 0.2);
        }
        for share in [number, share] {
            let (short, long) = (moment(0.001, 0.02), moment(0.001, -0.02));
            let (wide, narrow) = (
                adjusted(&short, share(&short)),
                adjusted(&long, share(&long)),
            );
            assert!(narrow < 0.2 && 0.2 < wide);
            assert!((wide * wide + narrow * narrow - 2.0 * 0.04).abs() < 1e-15);
        }
        let ruinous = moment(0.02, -0.02);
        assert_eq!(adjusted(&ruinous, number(&ruinous)), 0.0);
    }
}
