use super::svi::{SviFit, fit_svi, log_moneyness};
use super::{Quote, Surface};
use crate::calibration::SurfaceOptions;
use crate::contract::{Leg, OptionKind};
use crate::market::model::LocalVolatilityParameters;
use crate::market::{Market, Model, VolatilityUnit};
use crate::pricing::HestonParameters;
use crate::pricing::svi::SviSurface;
use std::path::Path;

/// Implied volatilities of Heston's model, v₀ = 0.04, κ = 1.5, θ = 0.06, σ = 0.5 and ρ = −0.7, with a rate and a dividend, at five
/// expiries from five weeks to two years.
fn heston() -> Surface {
    let model = HestonParameters::new(0.04, 1.5, 0.06, 0.5, -0.7).unwrap();
    let mut quotes = Vec::new();
    for expiry in [0.1, 0.25, 0.5, 1.0, 2.0] {
        for deviations in [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5] {
            let strike = 100.0 * (0.2 * deviations * f64::sqrt(expiry)).exp();
            let mut quote = Quote {
                spot: 100.0,
                strike,
                expiry,
                rate: 0.03,
                dividend: 0.01,
                implied_volatility: 0.2,
            };
            let option = quote.option();
            let price = model.price(option.kind, 100.0, strike, expiry, 0.03, 0.01);
            quote.implied_volatility = option.implied_volatility(price).unwrap();
            quotes.push(quote);
        }
    }
    Surface {
        quotes,
        dropped: Vec::new(),
        date: None,
        unit: VolatilityUnit::Fraction,
    }
}

/// Implied volatilities of the quotes by the local volatility of the slices, less those of the slices and of the quotes: the greatest
/// of each.
fn repriced(fit: &SviFit) -> (f64, f64) {
    let model = Model::from(LocalVolatilityParameters::from(fit.slices.clone()));
    let mut worst = (0f64, 0f64);
    for (quote, slice) in &fit.implied_volatilities {
        let market = Market {
            model: model.clone(),
            spot: quote.spot,
            rate: quote.rate.into(),
            dividend: quote.dividend.into(),
        };
        let option = quote.option();
        let kind: OptionKind = option.kind;
        let price = market.price(&[Leg::one(kind, quote.strike)], quote.expiry);
        let found = option.implied_volatility(price).unwrap();
        worst.0 = worst.0.max((found - slice).abs());
        worst.1 = worst.1.max((found - quote.implied_volatility).abs());
    }
    worst
}

/// A surface of Heston's prices: the slices have no arbitrage, and the local volatility that they make gives options their implied
/// volatilities within 2·10⁻⁴ of the slices' and 3·10⁻³ of the quotes', of which SVI itself leaves 0.1 points in the root mean square.
#[test]
fn local_volatility_reprices_a_surface_of_heston() {
    let fit = fit_svi(&heston()).unwrap();
    assert_eq!(fit.slices.len(), 5);
    assert_eq!(SviSurface::new(fit.slices.clone()).arbitrage(), None);
    let (slices, quotes) = repriced(&fit);
    println!("{fit:?}\n{slices} {quotes}");
    assert!(fit.root_mean_square_error < 0.1, "{fit:?}");
    assert!(slices < 2e-4, "{slices}");
    assert!(quotes < 3e-3, "{quotes}");
}

/// The DAX of 5 July 2002, 104 quotes of eight expiries: slices without arbitrage within 0.5 points in the root mean square, where
/// Heston's five parameters leave 1.3, and the local volatility gives all options those volatilities within 0.2 points.
#[test]
fn local_volatility_reprices_the_dax() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("market_data/dax_2002-07-05_implied_vols.csv");
    let surface = Surface::load(&path, &SurfaceOptions::default()).unwrap();
    let fit = fit_svi(&surface).unwrap();
    assert_eq!(fit.slices.len(), 8);
    assert_eq!(SviSurface::new(fit.slices.clone()).arbitrage(), None);
    let (slices, quotes) = repriced(&fit);
    println!("{fit:?}\n{slices} {quotes}");
    assert!(fit.root_mean_square_error < 0.5, "{fit:?}");
    assert!(slices < 2e-3, "{slices}");
}

/// Quotes whose total variance falls from one expiry to the next, and whose smile is so steep that its density is negative, are fitted
/// by slices that have neither fault; the second slice lies above the first.
#[test]
fn quotes_with_arbitrage_have_slices_without() {
    let mut surface = heston();
    for quote in &mut surface.quotes {
        if quote.expiry == 0.25 {
            quote.implied_volatility *= 0.5;
        }
        if quote.expiry == 2.0 {
            let k = log_moneyness(quote);
            quote.implied_volatility = (0.02 + 3.0 * k.abs()).sqrt();
        }
    }
    let fit = fit_svi(&surface).unwrap();
    assert_eq!(SviSurface::new(fit.slices.clone()).arbitrage(), None);
    assert!(fit.root_mean_square_error > 1.0);
    for k in [-0.2, 0.0, 0.2] {
        assert!(fit.slices[1].at(k).total >= fit.slices[0].at(k).total);
    }
}

/// An expiry with fewer quotes than parameters has no slice and is named; a surface of such alone is refused.
#[test]
fn an_expiry_with_few_quotes_has_no_slice() {
    let mut surface = heston();
    let mut kept = 0;
    surface.quotes.retain(|quote| {
        kept += usize::from(quote.expiry == 0.5);
        quote.expiry != 0.5 || kept <= 4
    });
    let fit = fit_svi(&surface).unwrap();
    assert_eq!(fit.without_slice, [(182.5, 4)]);
    assert_eq!(fit.slices.len(), 4);
    surface.quotes.retain(|quote| quote.expiry == 0.5);
    let message = fit_svi(&surface).unwrap_err().to_string();
    assert!(message.contains("no expiry with 5 quotes"), "{message}");
}
