use super::*;

/// An option at some date: every kind of cost depends on something that is not 0.
fn at(price: f64) -> At<f64> {
    At {
        price,
        volatility: 0.3,
        vega: 11.0,
        moneyness: 0.7,
        root_time: 0.4,
        factor: 1.0,
    }
}

fn single(at: At<f64>) -> At<f32> {
    At {
        price: at.price as f32,
        volatility: at.volatility as f32,
        vega: at.vega as f32,
        moneyness: at.moneyness as f32,
        root_time: at.root_time as f32,
        factor: at.factor as f32,
    }
}

/// Every kind of cost at once, exact.
fn all() -> Charge {
    Charge {
        fixed: Fixed::exact(0.07),
        quadratic: Quadratic { share: 0.003 },
        square_root: SquareRoot::new(0.8, 250.0, 252.0),
        vega: VegaShare { share: 0.01 },
        option_spread: OptionSpread::new(0.15, 0.5, 0.25),
        ..Charge::linear(0.02, 0.15)
    }
}

/// Each kind of cost alone, all of them together, and the same with smoothed jumps.
fn charges() -> Vec<Charge> {
    let mut charges = all().parts();
    charges.extend([Charge::default(), Charge::linear(0.02, 0.0), all()]);
    let smooth = |charge: &Charge| charge.smoothed(0.05);
    charges.extend(charges.clone().iter().map(smooth));
    charges
}

const TRADES: [f64; 6] = [-3.0, -0.5, -0.02, 0.03, 0.5, 7.0];

/// ∂C/∂x is the central difference of C wherever x is not 0, in both precisions.
#[test]
fn the_slope_is_that_of_the_cost() {
    for charge in charges() {
        for trade in TRADES {
            for at in [at(0.5), at(100.0)] {
                let step = 1e-5 * trade.abs();
                let cost = |trade: f64| charge.cost(trade, &at);
                let difference = (cost(trade + step) - cost(trade - step)) / (2.0 * step);
                let slope = charge.slope(trade, &at);
                assert!(
                    (slope - difference).abs() < 1e-7 * (1.0 + difference.abs()),
                    "{charge:?} {trade}: {slope} {difference}"
                );
                let single = charge.slope(trade as f32, &single(at));
                assert!((f64::from(single) - slope).abs() < 1e-6 * (1.0 + slope.abs()));
            }
        }
    }
}

/// No trade costs nothing and has the slope 0; buying costs what selling does; a larger trade costs no less; costs are never
/// negative, and 0 for every trade where the charge is free.
#[test]
fn costs_are_even_and_grow_with_the_trade() {
    let at = at(90.0);
    for charge in charges() {
        assert_eq!(
            (charge.cost(0.0, &at), charge.slope(0.0, &at)),
            (0.0, 0.0),
            "{charge:?}"
        );
        let mut smaller = 0.0;
        for trade in [1e-3, 0.02, 1.0, 40.0] {
            let cost = charge.cost(trade, &at);
            assert_eq!(cost, charge.cost(-trade, &at));
            assert_eq!(charge.slope(trade, &at), -charge.slope(-trade, &at));
            assert_eq!(cost == 0.0, charge.is_free(), "{charge:?}");
            assert!(cost >= smaller);
            smaller = cost;
        }
    }
}

/// A charge costs what its parts cost together, in each of its numbers, and the quick way is the same cost.
#[test]
fn a_charge_is_the_sum_of_its_parts() {
    let (at, charge) = (at(90.0), all());
    let sum = |of: &dyn Fn(Charge) -> f64| charge.parts().into_iter().map(of).sum::<f64>();
    for trade in TRADES {
        let cost = charge.cost(trade, &at);
        assert!((cost - sum(&|part| part.cost(trade, &at))).abs() < 1e-13 * (1.0 + cost));
        let slope = charge.slope(trade, &at);
        assert!((slope - sum(&|part| part.slope(trade, &at))).abs() < 1e-13 * (1.0 + slope.abs()));
        let linear = Charge::linear(0.02, 0.15);
        let plain = linear.plain().unwrap();
        assert_eq!(linear.cost(trade, &at), plain.cost(trade, &at));
    }
    let unit = charge.of_unit(&at);
    assert!((unit - sum(&|part| part.of_unit(&at))).abs() < 1e-14);
    assert!(charge.plain().is_none());
    assert_eq!(
        charge.asks_of_options(),
        charge.parts().iter().any(|p| p.asks_of_options())
    );
    assert!(!Charge::linear(0.02, 0.15).asks_of_options());
}

/// What a unit costs at once is the slope at 0 from above, for every cost that has one alone: those that are linear in |x|.
#[test]
fn a_unit_costs_the_slope_of_a_small_trade() {
    let (at, charge) = (at(90.0), all());
    for linear in charge.parts() {
        let unit = linear.of_unit(&at);
        if unit > 0.0 {
            assert_eq!(unit, linear.slope(1e-12, &at), "{linear:?}");
        }
    }
}

/// One of n contracts that are hedged alike bears C(n x)/n.
#[test]
fn a_book_shares_what_its_trade_costs() {
    let at = at(90.0);
    for charge in charges().into_iter().filter(|one| one.fixed.width == 0.0) {
        for trade in TRADES {
            let shared = charge.of_book(50.0).cost(trade, &at);
            let expected = charge.cost(50.0 * trade, &at) / 50.0;
            assert!(
                (shared - expected).abs() < 1e-12 * (1.0 + expected),
                "{charge:?}"
            );
        }
    }
}

/// A smoothed fixed cost is at most the exact one, and comes to it as its width falls to 0: its distance is F w/(|x| + w).
#[test]
fn a_smoothed_jump_comes_to_the_exact_one() {
    let at = at(90.0);
    let exact = Charge {
        fixed: Fixed::exact(0.4),
        ..Charge::default()
    };
    assert_eq!(exact.smoothed(0.0), exact);
    for trade in TRADES {
        for width in [1.0, 0.1, 1e-4] {
            let distance = exact.cost(trade, &at) - exact.smoothed(width).cost(trade, &at);
            let expected = 0.4 * width / (f64::abs(trade) + width);
            assert!((distance - expected).abs() < 1e-15);
        }
        assert_eq!(exact.cost(trade, &at), 0.4);
    }
}

/// Published: a trade of a hundredth of the daily volume at Y = 1 moves the price by a tenth of a daily volatility, so that it costs
/// that share of its value (Tóth et al. 2011, equation 1).
#[test]
fn a_hundredth_of_the_volume_costs_a_tenth_of_the_daily_volatility() {
    let charge = Charge {
        square_root: SquareRoot::new(1.0, 5_000.0, 256.0),
        ..Charge::default()
    };
    // 0.32 a year is 0.02 a day of 256.
    let at = At {
        volatility: 0.32,
        ..at(80.0)
    };
    let cost = charge.cost(50.0, &at);
    assert!((cost - 0.1 * 0.02 * 50.0 * 80.0).abs() < 1e-12);
}

/// A charge and its slope are multiplied by the factor of the date; what the first unit costs, by which bands are made, is not.
#[test]
fn a_factor_multiplies_cost_and_slope() {
    let doubled = At {
        factor: 2.0,
        ..at(90.0)
    };
    for charge in charges() {
        let of = |at: &At<f64>| (charge.cost(1.5, at), charge.slope(1.5, at));
        let (cost, slope) = of(&at(90.0));
        assert_eq!(of(&doubled), (2.0 * cost, 2.0 * slope));
        assert_eq!(charge.of_unit(&doubled), charge.of_unit(&at(90.0)));
    }
}

/// In another currency, where every price and every amount of money is c times as large, every cost is too.
#[test]
fn costs_are_money() {
    const C: f64 = 128.0;
    let scaled = Charge {
        linear: Linear {
            half_spread: 0.15 * C,
            ..all().linear
        },
        fixed: Fixed::exact(0.07 * C),
        option_spread: OptionSpread::new(0.15 * C, 0.5, 0.25),
        ..all()
    };
    let there = At {
        price: 90.0 * C,
        vega: 11.0 * C,
        ..at(90.0)
    };
    for trade in TRADES {
        assert_eq!(scaled.cost(trade, &there), C * all().cost(trade, &at(90.0)));
    }
}
