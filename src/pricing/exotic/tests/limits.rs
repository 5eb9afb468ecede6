//! Limits, and contracts that are others.

use super::*;

/// With one asset twice (ρ = 1, all else equal), and with a second that cannot matter, a rainbow option is vanilla.
#[test]
fn rainbow_options_of_one_asset_are_vanilla() {
    for kind in BOTH {
        let same = TwoAssets {
            spots: [100.0; 2],
            dividends: [0.01; 2],
            volatilities: [0.2; 2],
            correlation: 1.0,
            rate: 0.03,
            expiry: 0.5,
        };
        let far = TwoAssets {
            spots: [100.0, 1e-4],
            correlation: 0.3,
            ..same
        };
        let vanilla = same.asset(0).vanilla(kind, 98.0);
        for choice in [Choice::Best, Choice::Worst] {
            let option = RainbowOption {
                assets: same,
                kind,
                choice,
                strike: 98.0,
            };
            let value = option.valuation();
            assert!(
                (value.price - vanilla.price).abs() < 1e-12,
                "{value:?} {vanilla:?}"
            );
            assert!((value.deltas[0] + value.deltas[1] - vanilla.delta).abs() < 1e-12);
        }
        let best = RainbowOption {
            assets: far,
            kind: Call,
            choice: Choice::Best,
            strike: 98.0,
        };
        let call = far.asset(0).vanilla(Call, 98.0);
        let value = best.valuation();
        assert!((value.price - call.price).abs() < 1e-12);
        assert!((value.deltas[0] - call.delta).abs() < 1e-12);
        assert!((value.gammas[0][0] - call.gamma).abs() < 1e-12);
    }
}

/// A barrier that was touched leaves the vanilla option or nothing; a spot at the barrier has touched it.
#[test]
fn touched_barriers() {
    for kind in BOTH {
        let vanilla = ASSET.vanilla(kind, 100.0);
        for level in [90.0, 120.0] {
            for (knock, expected) in [(Knock::In, vanilla), (Knock::Out, Valuation::default())] {
                let option = barrier(ASSET, kind, knock, level);
                let touched = BarrierOption {
                    touched: true,
                    ..option
                };
                touched.valuation().assert_near(&expected, 0.0);
                let there = BarrierOption {
                    asset: at(level),
                    ..option
                };
                let here = if knock == Knock::In {
                    at(level).vanilla(kind, 100.0)
                } else {
                    expected
                };
                there.valuation().assert_near(&here, 0.0);
            }
        }
    }
}

/// At expiry a contract is worth what it pays, and without volatility what it pays on the forward's path; with hardly any of
/// either it is worth the same, and nothing is NaN.
#[test]
fn degenerate_cases_are_limits() {
    let same = |name: &str, value: &dyn Fn(LognormalAsset) -> Valuation| {
        for spot in [80.0, 95.0, 100.0, 104.0, 130.0] {
            for rate in [0.0, 0.05, -0.05] {
                let asset = |expiry: f64, volatility: f64| LognormalAsset {
                    spot,
                    rate,
                    dividend: 0.0,
                    volatility,
                    expiry,
                };
                for (limit, near) in [
                    (asset(0.0, 0.2), asset(1e-14, 0.2)),
                    (asset(1.0, 0.0), asset(1.0, 1e-8)),
                    (asset(0.0, 0.0), asset(1e-14, 1e-8)),
                    (asset(1.0, 1e-8), asset(1.0, 1e-7)),
                ] {
                    let (limit, near) = (value(limit), value(near));
                    let numbers = [limit.price, limit.delta, near.price, near.delta, near.gamma];
                    assert!(
                        numbers.iter().all(|x| x.is_finite()),
                        "{name} {spot} {rate}: {limit:?} {near:?}"
                    );
                    assert!(!limit.gamma.is_nan(), "{name} {spot} {rate}");
                    let error = (limit.price - near.price).abs();
                    assert!(error < 1e-5, "{name} {spot} {rate}: {limit:?} {near:?}");
                }
            }
        }
    };
    for kind in BOTH {
        same("digital", &|asset| {
            Digital {
                asset,
                kind,
                strike: 100.3,
                cash: 1.0,
            }
            .valuation()
        });
        for level in [90.5, 120.5] {
            for knock in [Knock::In, Knock::Out] {
                same("barrier", &|asset| {
                    barrier(asset, kind, knock, level).valuation()
                });
            }
        }
        for extreme in [70.0, 100.0, 140.0] {
            same("fixed lookback", &|asset| {
                FixedLookback {
                    asset,
                    kind,
                    strike: 100.0,
                    extreme,
                    spacing: 0.0,
                }
                .valuation()
            });
            same("floating lookback", &|asset| {
                FloatingLookback {
                    asset,
                    kind,
                    extreme,
                    spacing: 0.0,
                }
                .valuation()
            });
        }
        for average in [
            AverageSoFar::Fixings {
                known: 4,
                log_sum: 4.0 * f64::ln(101.0),
                times: &[],
            },
            AverageSoFar::Continuous {
                elapsed: 0.0,
                log_integral: 0.0,
            },
        ] {
            same("average", &|asset| {
                GeometricAsian {
                    asset,
                    kind,
                    strike: 100.0,
                    average,
                }
                .valuation()
            });
        }
    }
    for kind in [TouchKind::OneTouch, TouchKind::NoTouch] {
        for (barrier, direction) in [(90.5, Direction::Down), (120.5, Direction::Up)] {
            same("touch", &|asset| {
                Touch {
                    asset,
                    kind,
                    barrier,
                    direction,
                    cash: 1.0,
                    spacing: 0.0,
                    touched: false,
                }
                .valuation()
            });
        }
    }
    // Without volatility the spot moves with the forward: up from 100 to 105.13, so a barrier at 103 is touched.
    let certain = LognormalAsset {
        spot: 100.0,
        rate: 0.05,
        dividend: 0.0,
        volatility: 0.0,
        expiry: 1.0,
    };
    let discount = f64::exp(-0.05);
    let touch = Touch {
        asset: certain,
        kind: TouchKind::OneTouch,
        barrier: 103.0,
        direction: Direction::Up,
        cash: 1.0,
        spacing: 0.0,
        touched: false,
    };
    assert!((touch.valuation().price - discount).abs() < 1e-15);
    let out = barrier(certain, Call, Knock::Out, 103.0).valuation();
    assert!(out.price.abs() < 1e-12, "{out:?}");
    let highest = FixedLookback {
        asset: certain,
        kind: Call,
        strike: 90.0,
        extreme: 100.0,
        spacing: 0.0,
    };
    let expected = 100.0 - 90.0 * discount;
    assert!((highest.valuation().price - expected).abs() < 1e-12);
}

/// The least of the rainbow's degenerate cases: no NaN, and the payoff of the forwards.
#[test]
fn certain_rainbow_options_are_worth_their_payoff() {
    for correlation in [-1.0, 0.0, 0.4, 1.0] {
        for (expiry, volatilities) in [(0.0, [0.2, 0.3]), (1.0, [0.0, 0.0])] {
            for spots in [[100.0, 90.0], [95.0, 120.0], [100.0, 100.0]] {
                let assets = TwoAssets {
                    spots,
                    dividends: [0.0; 2],
                    volatilities,
                    correlation,
                    rate: 0.0,
                    expiry,
                };
                for (choice, value) in [
                    (Choice::Best, spots[0].max(spots[1])),
                    (Choice::Worst, spots[0].min(spots[1])),
                ] {
                    for kind in BOTH {
                        let option = RainbowOption {
                            assets,
                            kind,
                            choice,
                            strike: 98.0,
                        };
                        let found = option.valuation();
                        let error = found.price - kind.payoff(value, 98.0);
                        assert!(error.abs() < 1e-11, "{option:?}: {found:?}");
                        let numbers = found.deltas.iter().chain(found.gammas.as_flattened());
                        assert!(
                            numbers.into_iter().all(|x| !x.is_nan()),
                            "{option:?}: {found:?}"
                        );
                    }
                }
            }
        }
    }
}

/// A realised variance over many dates tends to σ², and with one return left it is the second moment of that return.
#[test]
fn sampled_variance_has_its_moments() {
    let undiscounted = |carries: &[f64], spacing: f64| {
        let swap = SampledVariance {
            asset: LognormalAsset {
                expiry: carries.len() as f64 * spacing,
                ..ASSET
            },
            carries,
            spacing,
            previous: ASSET.spot,
            per_year: 1.0 / (carries.len() as f64 * spacing),
        };
        swap.valuation().price / swap.asset.discount()
    };
    let fine = undiscounted(&vec![0.025 * 1e-6; 1_000_000], 1e-6);
    assert!((fine - 0.09).abs() < 1e-9, "{fine}");
    let m = 0.025 - 0.045;
    let single = undiscounted(&[0.025 * 0.1], 0.1);
    assert!((single - (0.09 + 0.1 * m * m)).abs() < 1e-14, "{single}");
    // E[X²] of two normal returns, of means c − σ²Δ/2 and variances σ²Δ.
    let uneven = undiscounted(&[0.03, -0.01], 0.1);
    let expected = [0.03, -0.01].map(|c: f64| (c - 0.0045).powi(2) + 0.009);
    assert!(
        (uneven - (expected[0] + expected[1]) / 0.2).abs() < 1e-14,
        "{uneven}"
    );
}
