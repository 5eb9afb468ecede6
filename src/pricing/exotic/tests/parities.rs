//! Parities and bounds over random parameters.

use super::*;
use proptest::prelude::*;

prop_compose! {
    fn any_asset()(
        spot in 60.0..160.0f64,
        rate in -0.05..0.12f64,
        dividend in -0.02..0.1f64,
        volatility in 0.02..0.9f64,
        expiry in 0.01..3.0f64,
    ) -> LognormalAsset {
        LognormalAsset { spot, rate, dividend, volatility, expiry }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// In and out are the vanilla option, digital call and put one unit of currency, one-touch and no-touch too; all are
    /// worth at least nothing, and no barrier option more than the vanilla one.
    #[test]
    fn parities(asset in any_asset(), strike in 60.0..160.0f64, level in 50.0..180.0f64, spacing in 0.0..0.1f64) {
        let direction = if level < asset.spot { Direction::Down } else { Direction::Up };
        let unit = asset.discount();
        for kind in BOTH {
            let vanilla = asset.vanilla(kind, strike);
            let option = |knock| BarrierOption {
                asset, kind, strike, barrier: level, direction, knock, spacing, touched: false,
            };
            let (knocked, out) = (option(Knock::In).valuation(), option(Knock::Out).valuation());
            (knocked + out).assert_near(&vanilla, 1e-9 * (1.0 + vanilla.gamma.abs()));
            prop_assert!(out.price >= 0.0 && out.price <= vanilla.price * (1.0 + 1e-9) + 1e-9);
        }
        let digital = |kind| Digital { asset, kind, strike, cash: 1.0 }.valuation();
        (digital(Call) + digital(Put)).assert_near(&Valuation::constant(unit), 1e-12);
        let touch = |kind| Touch {
            asset, kind, barrier: level, direction, cash: 1.0, spacing, touched: false,
        }.valuation();
        let (one, none) = (touch(TouchKind::OneTouch), touch(TouchKind::NoTouch));
        (one + none).assert_near(&Valuation::constant(unit), 1e-9);
        prop_assert!(one.price >= 0.0 && none.price >= 0.0);
    }

    /// Call less put is the forward, for averages, lookbacks and forward starts; a lookback is worth at least the vanilla
    /// option, and more dates are worth more.
    #[test]
    fn call_less_put_is_the_forward(
        asset in any_asset(),
        strike in 60.0..160.0f64,
        known in 0usize..12,
        mean in 60.0..160.0f64,
        gap in 0.0..0.3f64,
    ) {
        let times = equidistant(12 - known, asset.expiry);
        let asian = |kind| GeometricAsian {
            asset, kind, strike, average: AverageSoFar::Fixings { known, log_sum: known as f64 * mean.ln(), times: &times },
        };
        let paid = Valuation::constant(strike * asset.discount());
        let gap_of_asians = asian(Call).valuation() - asian(Put).valuation();
        gap_of_asians.assert_near(&(asian(Call).forward() - paid), 1e-10);

        for kind in BOTH {
            let extreme = asset.spot * (1.0 + kind.sign() * gap);
            let lookback = |spacing| FixedLookback { asset, kind, strike, extreme, spacing }.valuation();
            let vanilla = asset.vanilla(kind, strike);
            prop_assert!(lookback(0.0).price >= vanilla.price - 1e-9);
            prop_assert!(lookback(asset.expiry / 500.0).price <= lookback(0.0).price + 1e-9);
            // A floating one is a fixed one struck at the extreme, and the forward on it.
            let floating = FloatingLookback {
                asset, kind, extreme: asset.spot * (1.0 - kind.sign() * gap), spacing: 0.0,
            }.valuation();
            prop_assert!(floating.price >= asset.vanilla(kind, asset.spot * (1.0 - kind.sign() * gap)).price - 1e-9);
        }
        let start = 0.4 * asset.expiry;
        let forward = |kind| ForwardStart { asset, kind, moneyness: 1.1, start };
        let gap = forward(Call).valuation().price - forward(Put).valuation().price;
        let paid = 1.1 * asset.spot * (-asset.dividend * start - asset.rate * (asset.expiry - start)).exp();
        prop_assert!((gap - (asset.delivered().price - paid)).abs() < 1e-10);
    }

    /// Best and worst of two are the sum of the two options; call less put is the forward of the better or worse asset,
    /// and the better is the worse and two exchanges.
    #[test]
    fn best_and_worst_are_both(
        spots in [60.0..160.0f64, 60.0..160.0f64],
        volatilities in [0.02..0.9f64, 0.02..0.9f64],
        correlation in -1.0..=1.0f64,
        strike in 60.0..160.0f64,
        expiry in 0.01..3.0f64,
    ) {
        let assets = TwoAssets { spots, dividends: [0.01, 0.03], volatilities, correlation, rate: 0.04, expiry };
        let price = |kind, choice| RainbowOption { assets, kind, choice, strike }.valuation().price;
        for kind in BOTH {
            let sum = assets.asset(0).vanilla(kind, strike).price + assets.asset(1).vanilla(kind, strike).price;
            let found = price(kind, Choice::Best) + price(kind, Choice::Worst);
            prop_assert!((found - sum).abs() < 1e-10);
        }
        let bond = strike * assets.asset(0).discount();
        let exchange = Exchange { assets }.valuation().price;
        let worst = assets.asset(0).delivered().price - exchange;
        let best = assets.asset(1).delivered().price + exchange;
        for (choice, forward) in [(Choice::Best, best), (Choice::Worst, worst)] {
            let gap = price(Call, choice) - price(Put, choice);
            prop_assert!((gap - (forward - bond)).abs() < 1e-10, "{gap} {forward} {bond}");
        }
    }

    /// Delta and gamma are homogeneous where the price is: `V = S₁Δ₁ + S₂Δ₂` for an exchange.
    #[test]
    fn exchanges_are_homogeneous(spots in [60.0..160.0f64, 60.0..160.0f64], correlation in -1.0..=1.0f64) {
        let value = Exchange { assets: two_assets(spots, correlation) }.valuation();
        let euler = spots[0] * value.deltas[0] + spots[1] * value.deltas[1];
        prop_assert!((value.price - euler).abs() < 1e-10);
        let swapped = TwoAssets {
            spots: [spots[1], spots[0]],
            dividends: [0.03, 0.01],
            volatilities: [0.35, 0.2],
            ..two_assets(spots, correlation)
        };
        let forward = two_assets(spots, correlation);
        let parity = forward.asset(0).delivered().price - forward.asset(1).delivered().price;
        let back = Exchange { assets: swapped }.valuation().price;
        prop_assert!((value.price - back - parity).abs() < 1e-10);
    }
}
