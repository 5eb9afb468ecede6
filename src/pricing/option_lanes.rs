//! Black–Scholes' price, delta and gamma of many paths at once.

use super::BlackScholes;
use crate::simd::{BLOCK, Kernel, Lane, Real, multiply_add, upper_tail};
use std::f64::consts::PI;

/// The formula of [`BlackScholes`] for a block of spots and volatilities, added `quantity` times to price, delta and gamma.
///
/// Prices differ from those of [`BlackScholes`] by less than 4·10⁻⁷ of spot and strike, deltas by less than 4·10⁻⁷: the normal
/// distribution is that of [`upper_tail`]. Where volatility or time is 0 price and delta are their limits as well, and gamma is 0
/// everywhere.
pub struct OptionLanes<'a> {
    /// How many options there are.
    pub quantity: f64,
    /// Kind, strike, expiry, rate and dividend yield; its spot and volatility are not read.
    pub option: BlackScholes,
    /// The spots, above 0 or 0.
    pub spot: &'a Lane<f64>,
    /// The annualised volatilities.
    pub volatility: &'a Lane<f64>,
    /// Price, delta and gamma.
    pub sums: [&'a mut Lane<f64>; 3],
}

impl Kernel for OptionLanes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        /// Total volatilities and spots over strikes below this are as good as 0.
        const LEAST: f64 = 1e-12;
        let Self {
            quantity,
            option,
            spot,
            volatility,
            sums: [price, delta, gamma],
        } = self;
        let BlackScholes {
            strike,
            expiry,
            rate,
            dividend,
            ..
        } = option;
        let sign = option.kind.sign();
        let (bond, share) = (strike * (-rate * expiry).exp(), (-dividend * expiry).exp());
        let (carry, root) = ((rate - dividend) * expiry, expiry.sqrt());
        let density = 1.0 / (2.0 * PI).sqrt();
        let (spot, volatility) = (*spot, *volatility);
        for lane in 0..BLOCK {
            let total = volatility[lane] * root;
            let width = if total > LEAST { total } else { LEAST };
            let ratio = spot[lane] / strike;
            let ratio = if ratio > LEAST { ratio } else { LEAST };
            let moneyness = Real::ln::<FMA>(ratio) + carry;
            let first = moneyness / width + 0.5 * width;
            let second = first - width;
            let own = upper_tail::<f64, FMA>(-sign * first);
            let other = upper_tail::<f64, FMA>(-sign * second);
            let asset = spot[lane] * share;
            let worth = sign * (asset * own - bond * other);
            let worth = if worth > 0.0 { worth } else { 0.0 };
            price[lane] = multiply_add::<f64, FMA>(quantity, worth, price[lane]);
            delta[lane] = multiply_add::<f64, FMA>(quantity, sign * share * own, delta[lane]);
            let bell = density * Real::exp::<FMA>(-0.5 * first * first);
            let curve = share * bell / (ratio * strike * width);
            let curve = if total > LEAST { curve } else { 0.0 };
            gamma[lane] = multiply_add::<f64, FMA>(quantity, curve, gamma[lane]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::OptionKind;
    use crate::simd::dispatch;

    fn lanes(
        option: BlackScholes,
        spot: Lane<f64>,
        volatility: Lane<f64>,
        quantity: f64,
    ) -> [Lane<f64>; 3] {
        let mut sums = [[0.0; BLOCK]; 3];
        let [price, delta, gamma] = &mut sums;
        dispatch(OptionLanes {
            quantity,
            option,
            spot: &spot,
            volatility: &volatility,
            sums: [price, delta, gamma],
        });
        sums
    }

    /// Calls and puts over spots and volatilities are `quantity` times those of the formula path by path.
    #[test]
    fn lanes_are_the_formula() {
        for kind in [OptionKind::Call, OptionKind::Put] {
            for expiry in [1.0 / 365.0, 0.5, 3.0] {
                let option = BlackScholes {
                    kind,
                    spot: f64::NAN,
                    strike: 90.0,
                    expiry,
                    rate: 0.03,
                    dividend: 0.02,
                    volatility: f64::NAN,
                };
                let spot: Lane<f64> = std::array::from_fn(|lane| 50.0 + 3.0 * lane as f64);
                let volatility: Lane<f64> =
                    std::array::from_fn(|lane| 0.01 + 0.05 * (lane % 7) as f64);
                let [price, delta, gamma] = lanes(option, spot, volatility, -2.0);
                for lane in 0..BLOCK {
                    let one = BlackScholes {
                        spot: spot[lane],
                        volatility: volatility[lane],
                        ..option
                    };
                    let scale = spot[lane] + 90.0;
                    assert!((price[lane] + 2.0 * one.price()).abs() < 8e-7 * scale);
                    assert!((delta[lane] + 2.0 * one.delta()).abs() < 8e-7);
                    let gap = gamma[lane] + 2.0 * one.gamma();
                    assert!(gap.abs() < 1e-12 * (1.0 + one.gamma()), "{gap}");
                }
            }
        }
    }

    /// Nothing left to move: the discounted intrinsic value on the forward, its slope, and no gamma; and a spot of 0 is one.
    #[test]
    fn limits_are_finite() {
        let option = BlackScholes {
            kind: OptionKind::Put,
            spot: 0.0,
            strike: 100.0,
            expiry: 0.0,
            rate: 0.03,
            dividend: 0.0,
            volatility: 0.0,
        };
        let mut spot = [100.0; BLOCK];
        (spot[0], spot[1], spot[2]) = (0.0, 80.0, 120.0);
        let [price, delta, gamma] = lanes(option, spot, [0.0; BLOCK], 1.0);
        assert!((price[0] - 100.0).abs() < 1e-9 && (delta[0] + 1.0).abs() < 1e-9);
        assert!((price[1] - 20.0).abs() < 1e-9 && (delta[1] + 1.0).abs() < 1e-9);
        assert!(price[2].abs() < 1e-9 && delta[2].abs() < 1e-9);
        assert!(price[3].abs() < 1e-9 && delta[3].abs() <= 1.0);
        assert_eq!(gamma, [0.0; BLOCK]);
        let later = BlackScholes {
            expiry: 1.0,
            ..option
        };
        let [price, delta, gamma] = lanes(later, [0.0; BLOCK], [0.2; BLOCK], 1.0);
        assert!((price[0] - 100.0 * (-0.03f64).exp()).abs() < 1e-9);
        assert!((delta[0] + 1.0).abs() < 1e-9 && gamma[0].abs() < 1e-9);
    }
}
