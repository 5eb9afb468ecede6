//! Deltas and gammas against differences.

use super::*;

/// Delta and gamma are derivatives, in the middle of every contract's life.
#[test]
fn deltas_and_gammas_are_derivatives() {
    let spacing = 0.05;
    let times = equidistant(14, ASSET.expiry);
    for kind in BOTH {
        Valuation::check_derivatives(
            |spot| {
                let asset = at(spot);
                Digital {
                    asset,
                    kind,
                    strike: 100.0,
                    cash: 10.0,
                }
                .valuation()
            },
            ASSET.spot,
        );
        for average in [
            AverageSoFar::Fixings {
                known: 0,
                log_sum: 0.0,
                times: &times,
            },
            AverageSoFar::Fixings {
                known: 6,
                log_sum: 6.0 * f64::ln(97.0),
                times: &times,
            },
            AverageSoFar::Continuous {
                elapsed: 0.3,
                log_integral: 0.3 * f64::ln(99.0),
            },
        ] {
            let option = |spot| GeometricAsian {
                asset: at(spot),
                kind,
                strike: 100.0,
                average,
            };
            Valuation::check_derivatives(|spot| option(spot).valuation(), ASSET.spot);
            Valuation::check_derivatives(|spot| option(spot).forward(), ASSET.spot);
        }
        for level in [90.0, 96.0, 115.0, 140.0] {
            for knock in [Knock::In, Knock::Out] {
                for spacing in [0.0, spacing] {
                    let option = |spot| BarrierOption {
                        spacing,
                        ..barrier(at(spot), kind, knock, level)
                    };
                    Valuation::check_derivatives(|spot| option(spot).valuation(), ASSET.spot);
                }
            }
        }
        for (low, high) in [(95.0, 110.0), (102.0, 104.0)] {
            let extreme = if kind == Call { high } else { low };
            for carry in [-0.03, 0.0, 1e-9, 0.06] {
                for strike in [80.0, 103.0, 130.0] {
                    let option = |spot| FixedLookback {
                        asset: LognormalAsset {
                            dividend: ASSET.rate - carry,
                            ..at(spot)
                        },
                        kind,
                        strike,
                        extreme,
                        spacing: 0.0,
                    };
                    Valuation::check_derivatives(|spot| option(spot).valuation(), ASSET.spot);
                }
            }
            let option = |spot| FloatingLookback {
                asset: at(spot),
                kind,
                extreme: if kind == Call { low } else { high },
                spacing: 0.0,
            };
            Valuation::check_derivatives(|spot| option(spot).valuation(), ASSET.spot);
        }
        let forward_start = |spot| ForwardStart {
            asset: at(spot),
            kind,
            moneyness: 1.05,
            start: 0.4,
        };
        Valuation::check_derivatives(|spot| forward_start(spot).valuation(), ASSET.spot);
    }
    for kind in [TouchKind::OneTouch, TouchKind::NoTouch] {
        for (level, direction) in [(90.0, Direction::Down), (115.0, Direction::Up)] {
            let option = |spot| Touch {
                asset: at(spot),
                kind,
                barrier: level,
                direction,
                cash: 10.0,
                spacing: 0.0,
                touched: false,
            };
            Valuation::check_derivatives(|spot| option(spot).valuation(), ASSET.spot);
        }
    }
    let clamp = |spot| ReturnClamp {
        asset: at(spot),
        floor: -0.05,
        cap: 0.08,
        end: 0.3,
        begins: Begins::At(101.0),
    };
    Valuation::check_derivatives(|spot| 100.0 * clamp(spot).valuation(), ASSET.spot);
    let variance = |spot| SampledVariance {
        asset: at(spot),
        carries: &[0.001; 14],
        spacing,
        previous: 101.0,
        per_year: 20.0,
    };
    Valuation::check_derivatives(|spot| variance(spot).valuation(), ASSET.spot);
}

/// Deltas and gammas of two assets are derivatives, and the matrix of gammas is symmetric.
#[test]
fn deltas_and_gammas_of_two_assets_are_derivatives() {
    let h = 0.02;
    let check = |name: &str, value: &dyn Fn([f64; 2]) -> TwoAssetValuation| {
        let spots = [101.0, 96.0];
        let one = value(spots);
        assert!(
            (one.gammas[0][1] - one.gammas[1][0]).abs() < 1e-13,
            "{name}"
        );
        for i in 0..2 {
            let (mut above, mut below) = (spots, spots);
            above[i] += h;
            below[i] -= h;
            let (above, below) = (value(above), value(below));
            let delta = (above.price - below.price) / (2.0 * h);
            assert!(
                (one.deltas[i] - delta).abs() < 1e-7,
                "{name} {i}: {one:?} {delta}"
            );
            for j in 0..2 {
                let gamma = (above.deltas[j] - below.deltas[j]) / (2.0 * h);
                assert!(
                    (one.gammas[i][j] - gamma).abs() < 1e-7,
                    "{name}: {one:?} {gamma}"
                );
            }
        }
    };
    for correlation in [-1.0, -0.9, 0.0, 0.5, 0.98] {
        check("exchange", &|spots| {
            let assets = two_assets(spots, correlation);
            Exchange { assets }.valuation()
        });
        for kind in BOTH {
            for choice in [Choice::Best, Choice::Worst] {
                check("rainbow", &|spots| {
                    let option = RainbowOption {
                        assets: two_assets(spots, correlation),
                        kind,
                        choice,
                        strike: 100.0,
                    };
                    option.valuation()
                });
            }
        }
    }
}
