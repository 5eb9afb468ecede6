//! Prices and greeks by one Fourier integral per option.

use super::{Exponents, HestonParameters};
use crate::contract::OptionKind;
use crate::pricing::jumps::{Jumps, NoJumps};
use crate::pricing::quadrature::GAUSS_LEGENDRE;
use crate::pricing::{BlackScholes, Greeks};
use num_complex::Complex64;
use std::f64::consts::PI;
use std::ops::RangeInclusive;

/// The characteristic function of one expiry, tabulated where the price integral needs it.
///
/// With `x = ln(F/K)`, `F = S e^{(r−q)T}` and `ψ(u) = E[e^{i(u−i/2)X}]`, the call is
///
/// ```text
/// C = S e^{−qT} − e^{−rT} √(FK)/π ∫₀^∞ Re[e^{iux} ψ(u)] / (u² + ¼) du
/// ```
///
/// and the Black–Scholes price with the same expected variance `w` has the same form with
/// `e^{−w(u²+¼)/2}` for `ψ`. Only the difference of the two is integrated, so that the poles at
/// `u = ±i/2` cancel and little is left to integrate. Derivatives with respect to spot, variance
/// and time are taken under the integral. Spot, variance and strike enter through elementary
/// factors alone: one table serves every state in its range.
///
/// The log-spot may jump independently of all else ([`Jumps`]): `ψ` then has the factor `e^{TΛ(½ + iu)}` (Bates 1996), and with a
/// variance that never changes, κ = σ = 0, it is that of a jump diffusion (Kou 2002).
///
/// The integral is cut into Gauss–Legendre panels that double in width from the origin (the
/// singularities lie on the imaginary axis), capped where the integrand turns by eight radians
/// either side of the panel's centre, and ends where the rest of it is below 10⁻¹⁴.
///
/// # References
///
/// A. Lewis (2000), "Option Valuation under Stochastic Volatility", chapter 2;
/// D. Bates (1996), "Jumps and stochastic volatility: exchange rate processes implicit in Deutsche Mark options", Review of
/// Financial Studies 9(1), equations 1 and 9;
/// L. Andersen and V. Piterbarg (2010), "Interest Rate Modeling" vol. 1, chapter 8 (control
/// variate); L. Andersen and M. Lake (2018), "Robust high-precision option pricing by Fourier
/// transforms".
#[derive(Debug, Clone)]
pub struct HestonTransform {
    parameters: HestonParameters,
    expiry: f64,
    nodes: Vec<Node>,
    jumps: JumpMoments,
}

/// What is asked of the jumps beside their exponent.
#[derive(Debug, Clone, Copy)]
struct JumpMoments {
    variance: f64,
    relative_variance: f64,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    u: f64,
    /// `u² + ¼`.
    square: f64,
    /// Quadrature weight over `π(u² + ¼)`.
    weight: f64,
    exponents: Exponents,
    /// Λ(½ + iu)
    jump: Complex64,
    /// Λ(3/2 + iu) − Λ(½ + iu)
    jump_covariance: Complex64,
}

/// Standard deviations of ln S below this are none: the option is worth its intrinsic value on the forward to the last digit.
const LEAST_DEVIATION: f64 = 1e-12;

/// Reached only where variance and expiry are both so small that the option is its intrinsic
/// value but for a kink; the tail left out is then below 10⁻⁵ of its slowly decaying integrand.
const MAX_PANELS: usize = 4000;

impl HestonTransform {
    /// Below this, what is left of the integral is dropped, relative to `e^{−rT}√(FK)`, unless a caller says otherwise.
    pub const TAIL: f64 = 1e-14;

    /// Tabulates the characteristic function for options of one expiry.
    ///
    /// `variances` is the range of instantaneous variance and `log_moneyness` the largest
    /// `|ln(F/K)|` that will be asked for. `parameters.v0` is not used: each valuation names its
    /// own variance.
    ///
    /// # Units
    ///
    /// `expiry` in years, `variances` annualised.
    pub fn new(
        parameters: &HestonParameters,
        expiry: f64,
        variances: RangeInclusive<f64>,
        log_moneyness: f64,
    ) -> Self {
        Self::with_tail(parameters, expiry, variances, log_moneyness, Self::TAIL)
    }

    /// The same where the integral may end sooner: what is left out of it is below `tail`, relative to `e^{−rT}√(FK)`.
    pub fn with_tail(
        parameters: &HestonParameters,
        expiry: f64,
        variances: RangeInclusive<f64>,
        log_moneyness: f64,
        tail: f64,
    ) -> Self {
        Self::with_jumps(parameters, &NoJumps, expiry, variances, log_moneyness, tail)
    }

    /// The same where the log-spot jumps as well; the variances are those of the diffusion alone.
    pub fn with_jumps(
        parameters: &HestonParameters,
        jumps: &dyn Jumps,
        expiry: f64,
        variances: RangeInclusive<f64>,
        log_moneyness: f64,
        tail: f64,
    ) -> Self {
        let moments = JumpMoments {
            variance: jumps.variance(),
            relative_variance: jumps.relative_variance(),
        };
        let mut nodes = Vec::new();
        let (low, high) = (*variances.start(), *variances.end());
        let total = |variance| total_variance(parameters, &moments, variance, expiry);
        let (least, most) = (total(low), total(high));
        let log_moneyness = log_moneyness.min(reach(parameters, &moments, expiry, most));
        let turning = jumps.frequency(expiry);
        if most.sqrt() > LEAST_DEVIATION {
            // ln ψ falls like a parabola first and like a line later; its slope is below both.
            let far_slope =
                (high + parameters.kappa * parameters.theta * expiry) / parameters.sigma;
            let deviation = most.sqrt();
            let mut left = 0.0;
            for _ in 0..MAX_PANELS {
                let mut width = f64::max(left, 1.0);
                if left * deviation < 9.0 {
                    width = width.min(4.0 / deviation);
                }
                let slope = f64::min(most * (left + width), far_slope) + turning;
                width = width.min(16.0 / (log_moneyness + slope));
                let node = |u| Node::new(parameters, jumps, u, expiry);
                append_panel(&mut nodes, node, left, left + width);
                left += width;
                let characteristic = node(left).characteristic(low, expiry);
                let control = (-0.5 * least * left * left).exp();
                if characteristic.norm().max(control) < tail * left {
                    break;
                }
            }
        }
        Self {
            parameters: *parameters,
            expiry,
            nodes,
            jumps: moments,
        }
    }

    /// Prices of options on one state of the market, one per strike; see
    /// [`HestonParameters::prices`].
    pub fn prices(
        &self,
        kind: OptionKind,
        spot: f64,
        variance: f64,
        strikes: &[f64],
        rate: f64,
        dividend: f64,
    ) -> Vec<f64> {
        let total = self.total_variance(variance);
        let terms: Vec<(f64, Complex64)> = self
            .nodes
            .iter()
            .map(|node| {
                (
                    node.u,
                    node.weight * node.excess(variance, self.expiry, total),
                )
            })
            .collect();
        let reach = reach(&self.parameters, &self.jumps, self.expiry, total);
        let value = |&strike: &f64| {
            let control = self.control(kind, spot, total, strike, rate, dividend);
            let (x, scale) = scaling(&control);
            let terms = if x.abs() > reach {
                &[]
            } else {
                terms.as_slice()
            };
            let integral: f64 = terms
                .iter()
                .map(|(u, term)| {
                    let (sin, cos) = (u * x).sin_cos();
                    cos * term.re - sin * term.im
                })
                .sum();
            floored(control.price() - scale * integral, &control)
        };
        strikes.iter().map(value).collect()
    }

    /// Price and sensitivities of one option on one state of the market.
    pub fn greeks(
        &self,
        kind: OptionKind,
        spot: f64,
        variance: f64,
        strike: f64,
        rate: f64,
        dividend: f64,
    ) -> Greeks {
        let total = self.total_variance(variance);
        let control = self.control(kind, spot, total, strike, rate, dividend);
        let (x, scale) = scaling(&control);
        let [
            mut price,
            mut delta,
            mut gamma,
            mut by_variance,
            mut by_time,
            mut by_jump,
        ] = [0.0; 6];
        let far = x.abs() > reach(&self.parameters, &self.jumps, self.expiry, total);
        for node in if far { &[] } else { self.nodes.as_slice() } {
            let turn = node.weight * Complex64::cis(node.u * x);
            let characteristic = node.characteristic(variance, self.expiry);
            let excess = turn * (characteristic - node.control(total));
            price += excess.re;
            // S ∂/∂S √F e^{iux} = (½ + iu) √F e^{iux}.
            delta += 0.5 * excess.re - node.u * excess.im;
            gamma += node.square * excess.re;
            let whole = turn * characteristic;
            by_variance += (whole * node.exponents.d).re;
            let slope = node
                .exponents
                .time_slope(&self.parameters, node.u, variance);
            by_time += (whole * (slope + node.jump)).re;
            by_jump += (whole * node.jump_covariance).re;
        }
        let price = floored(control.price() - scale * price, &control);
        let delta = control.delta() - scale * delta / spot;
        let gamma = control.gamma() + scale * gamma / (spot * spot);
        let variance_sensitivity = -scale * by_variance;
        let theta = self.theta(&control, price, delta, scale * by_time);
        let leverage = self.parameters.rho * self.parameters.sigma;
        let diffusive = delta + leverage / spot * variance_sensitivity;
        let of_jumps = self.jumps.relative_variance;
        let minimum_variance_delta = if of_jumps > 0.0 {
            // ∫ (e^y − 1)(V(Se^y) − V(S)) ν(dy)/S, of a put without the forward that a call is beside it.
            let forward = match kind {
                OptionKind::Call => (-dividend * self.expiry).exp() * of_jumps,
                OptionKind::Put => 0.0,
            };
            let jumped = forward - scale * by_jump / spot;
            (variance * diffusive + jumped) / (variance + of_jumps)
        } else {
            diffusive
        };
        Greeks {
            price,
            delta,
            gamma,
            vega: 2.0 * variance.sqrt() * variance_sensitivity,
            variance_sensitivity,
            theta,
            minimum_variance_delta,
        }
    }

    /// `∂V/∂t` from `C = e^{−rT} G(F, T)`: `rC − (r − q)SΔ + e^{−rT}√(FK)/π ∫ …`, written for the
    /// call; parity carries it to the put.
    fn theta(&self, control: &BlackScholes, price: f64, delta: f64, by_time: f64) -> f64 {
        if self.nodes.is_empty() {
            return control.theta();
        }
        // The expression is linear in (price, delta) and holds for the put as it stands:
        // r(C − P) − (r − q)S(Δ_C − Δ_P) = qS e^{−qT} − rK e^{−rT}, the theta of the forward.
        control.rate * price - (control.rate - control.dividend) * control.spot * delta + by_time
    }

    fn total_variance(&self, variance: f64) -> f64 {
        total_variance(&self.parameters, &self.jumps, variance, self.expiry)
    }

    /// The Black–Scholes option with total variance `total`.
    fn control(
        &self,
        kind: OptionKind,
        spot: f64,
        total: f64,
        strike: f64,
        rate: f64,
        dividend: f64,
    ) -> BlackScholes {
        let volatility = if total > 0.0 {
            (total / self.expiry).sqrt()
        } else {
            0.0
        };
        BlackScholes {
            kind,
            spot,
            strike,
            expiry: self.expiry,
            rate,
            dividend,
            volatility,
        }
    }
}

impl Node {
    /// A node without its weight.
    fn new(parameters: &HestonParameters, jumps: &dyn Jumps, u: f64, expiry: f64) -> Self {
        let s = Complex64::new(0.5, u);
        let square = u * u + 0.25;
        let jump = jumps.exponent(s);
        Self {
            u,
            square,
            weight: 0.0,
            exponents: Exponents::new(parameters, u, expiry),
            jump,
            jump_covariance: jumps.exponent(s + 1.0) - jump,
        }
    }

    fn characteristic(&self, variance: f64, expiry: f64) -> Complex64 {
        let Exponents { a, d } = self.exponents;
        (a + d * variance + self.jump * expiry).exp()
    }

    fn control(&self, total: f64) -> f64 {
        (-0.5 * total * self.square).exp()
    }

    fn excess(&self, variance: f64, expiry: f64, total: f64) -> Complex64 {
        self.characteristic(variance, expiry) - self.control(total)
    }
}

fn at(parameters: &HestonParameters, variance: f64) -> HestonParameters {
    HestonParameters {
        v0: variance,
        ..*parameters
    }
}

/// The expected variance of ln S until expiry.
fn total_variance(
    parameters: &HestonParameters,
    jumps: &JumpMoments,
    variance: f64,
    expiry: f64,
) -> f64 {
    (at(parameters, variance).mean_variance(expiry) + jumps.variance) * expiry
}

/// Options with a greater `|ln(F/K)|` are their intrinsic value on the forward to the last digit, that of `total` variance
/// included: the tails of ln S fall like those of a normal law at first, and like `e^{−2|x|/(σT)}` or faster further out. With
/// jumps no such bound is taken.
fn reach(parameters: &HestonParameters, jumps: &JumpMoments, expiry: f64, total: f64) -> f64 {
    if jumps.variance > 0.0 {
        return f64::INFINITY;
    }
    12.0 * total.sqrt() + 20.0 * parameters.sigma * expiry
}

/// `x = ln(F/K)` and `e^{−rT}√(FK)`.
fn scaling(option: &BlackScholes) -> (f64, f64) {
    let carry = (option.rate - option.dividend) * option.expiry;
    let x = (option.spot / option.strike).ln() + carry;
    let discounted =
        option.spot * option.strike * (carry - 2.0 * option.rate * option.expiry).exp();
    (x, discounted.sqrt())
}

/// No price lies below the intrinsic value on the forward; what rounding leaves below it is cut.
fn floored(price: f64, option: &BlackScholes) -> f64 {
    let certain = BlackScholes {
        volatility: 0.0,
        ..*option
    };
    price.max(certain.price())
}

fn append_panel(nodes: &mut Vec<Node>, node: impl Fn(f64) -> Node, left: f64, right: f64) {
    let (centre, half) = (0.5 * (left + right), 0.5 * (right - left));
    nodes.extend(GAUSS_LEGENDRE.iter().map(|(t, weight)| {
        let node = node(centre + half * t);
        Node {
            weight: half * weight / (PI * node.square),
            ..node
        }
    }));
}
