//! Calls and puts at the implied-volatility surface of the day, each at the volatility of its own strike and expiry.

use super::valuation::Period;
use crate::contract::{Contract, Leg};
use crate::error::{Error, Result};
use crate::market::{Market, MarketState};
use crate::pricing::{BlackScholes, SurfaceFactors};
use crate::strategy::{Plan, Premium, Strike};

/// What of the factors' changes is told as level, slope and skew, by their places in [`SurfaceFactors::NAMES`].
const LEVEL: usize = 0;
const SLOPE: usize = 1;
const SKEW: std::ops::Range<usize> = 2..SurfaceFactors::COUNT;

/// An option of `leg` in a market, `elapsed` years after the sale and with `left` > 0 years to its expiry, at a spot and the surface of
/// the day; with ln(F/K).
fn option(
    leg: Leg,
    market: &Market,
    (elapsed, left): (f64, f64),
    spot: f64,
    surface: &SurfaceFactors,
) -> (BlackScholes, f64) {
    let log_moneyness = log_moneyness(leg, market, (elapsed, left), spot);
    let volatility = surface.volatility(log_moneyness, left);
    let option = BlackScholes {
        spot,
        ..market.black_scholes_after(elapsed, leg, left, volatility)
    };
    (option, log_moneyness)
}

fn log_moneyness(leg: Leg, market: &Market, (elapsed, left): (f64, f64), spot: f64) -> f64 {
    (spot / leg.strike).ln() + market.carry(elapsed, elapsed + left) * left
}

/// The price of `legs` at their sale, `expiry` > 0 years before they expire.
pub(super) fn price(legs: &[Leg], market: &Market, expiry: f64, surface: &SurfaceFactors) -> f64 {
    let price = |leg: &Leg| {
        let (option, _) = option(*leg, market, (0.0, expiry), market.spot, surface);
        leg.quantity * option.price()
    };
    legs.iter().map(price).sum()
}

/// What the plan's contract number `member` of its family, or the contract itself, is sold for in `market` at the surface of the day.
///
/// # Errors
/// [`Error::Input`] where the premium is the price of a contract that is no sum of calls and puts.
pub(super) fn premium(
    plan: &Plan,
    market: &Market,
    member: usize,
    surface: &SurfaceFactors,
) -> Result<f64> {
    let sold = plan.contract.of_path(Some(member as f64));
    match (plan.premium, sold.legs()) {
        (Premium::Amount(amount), _) => Ok(amount),
        (Premium::Model, Some(legs)) => Ok(price(legs, market, sold.expiry, surface)),
        (Premium::Model, None) => Err(Error::key(
            "contract.premium",
            "must be an amount on surfaces, which price calls and puts alone",
        )),
    }
}

/// The spot at the sale at which `contract` has the strike that the rule asks for in `market`, whose spot is that of other rules: a delta
/// is that at the volatility of the strike itself.
pub(super) fn spot_at_sale(
    strike: Strike,
    market: &Market,
    contract: &Contract,
    surface: &SurfaceFactors,
) -> f64 {
    let Strike::Delta { kind, size } = strike else {
        return strike.spot(market, contract);
    };
    let expiry = contract.expiry;
    let forward = market.forward(expiry);
    let size_at = |log_strike: f64| {
        let leg = Leg::one(kind, forward * log_strike.exp());
        let (option, _) = option(leg, market, (0.0, expiry), market.spot, surface);
        option.delta().abs()
    };
    // A call's delta falls with its strike, and the size of a put's grows.
    let falls = size_at(-1.0) > size_at(1.0);
    let (mut low, mut high) = (-REACH, REACH);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        match (size_at(middle) > size) == falls {
            true => low = middle,
            false => high = middle,
        }
    }
    let found = forward * (0.5 * (low + high)).exp();
    market.spot * contract.strike / found
}

/// The logarithms of strikes over the forward within which a delta is searched.
const REACH: f64 = 3.0;

/// Halvings of that interval, after which its ends are neighbours in double precision.
const HALVINGS: usize = 64;

/// What the value of `quantity` `legs`, which expire `later` years after their contract, does over every period of a path, at the surfaces
/// of its dates.
///
/// The volatility of a leg moves by Σᵢ ∂σ/∂βᵢ dβᵢ with the factors, and with the spot, which shifts the strike along the skew of the day;
/// times vega, the first factor's share is the part level, the second's slope, and that of the others with the shift skew. Theta has
/// what the volatility of the strike loses or gains as the expiry comes nearer.
pub(super) fn periods(
    legs: &[Leg],
    market: &Market,
    (steps, dt, later): (usize, f64, f64),
    states: &[MarketState],
    payoff: impl Fn(f64) -> f64,
) -> Vec<Period> {
    let left = |t: usize| dt * (steps - t) as f64 + later;
    let value = |t: usize| match left(t) > 0.0 {
        false => payoff(states[t].spot),
        true => {
            let one = |leg: &Leg| {
                let at = (dt * t as f64, left(t));
                let (option, _) = option(*leg, market, at, states[t].spot, &surface(&states[t]));
                leg.quantity * option.price()
            };
            legs.iter().map(one).sum()
        }
    };
    let values: Vec<f64> = (0..=steps).map(value).collect();
    let period = |t: usize| {
        let mut period = Period {
            now: values[t],
            then: values[t + 1],
            deltas: vec![0.0],
            gammas: vec![0.0],
            ..Period::default()
        };
        let (now, then) = (&states[t], &states[t + 1]);
        let (surface, next) = (surface(now), surface(then));
        let at = (dt * t as f64, left(t));
        for leg in legs {
            let (option, log_moneyness) = option(*leg, market, at, now.spot, &surface);
            let sensitivity = leg.quantity * option.vega();
            let basis = SurfaceFactors::basis(log_moneyness, at.1);
            let factors = surface.to_array().into_iter().zip(next.to_array());
            let moves: Vec<f64> = (factors.zip(basis))
                .map(|((from, to), share)| share * (to - from))
                .collect();
            let along = self::log_moneyness(*leg, market, at, then.spot);
            let shift = surface.volatility(along, at.1) - option.volatility;
            let nearer = at.1 - dt;
            let roll = match nearer > ROLLED {
                true => surface.volatility(log_moneyness, nearer) - option.volatility,
                false => 0.0,
            };
            period.deltas[0] += leg.quantity * option.delta();
            period.gammas[0] += leg.quantity * option.gamma();
            period.theta += leg.quantity * option.theta() * dt + sensitivity * roll;
            period.surface[0] += sensitivity * moves[LEVEL];
            period.surface[1] += sensitivity * moves[SLOPE];
            period.surface[2] += sensitivity * (moves[SKEW].iter().sum::<f64>() + shift);
        }
        period
    };
    (0..steps).map(period).collect()
}

/// The vega of `legs`, `elapsed` years after the sale and with `left` > 0 years to their expiry, as every volatility of the surface moves by
/// as much, for a volatility of 1.
pub(super) fn vega(legs: &[Leg], market: &Market, at: (f64, f64), state: &MarketState) -> f64 {
    let one = |leg: &Leg| {
        let (option, _) = option(*leg, market, at, state.spot, &surface(state));
        leg.quantity * option.vega()
    };
    legs.iter().map(one).sum()
}

/// An option with less time, in years, has no volatility of a later date: it has expired.
const ROLLED: f64 = 1e-9;

fn surface(state: &MarketState) -> SurfaceFactors {
    state
        .surface
        .expect("every date of a path has a surface or none has")
}
