//! Every cost and all financing, through the ledger.

use super::*;
use crate::contract::{
    Charge, Fixed, OptionKind, OptionSpread, Quadratic, SquareRoot, Vanilla, VegaShare,
};
use crate::hedging::tests::{PARAMETERS, gbm, simulator};
use crate::market::{Model, Paths, Quotes};

const STEPS: usize = 5;

fn market() -> Market {
    Market {
        model: Model::from(PARAMETERS),
        rate: 0.04.into(),
        dividend: 0.02.into(),
        ..gbm(0.0)
    }
}

fn contract() -> Contract {
    Contract::option(OptionKind::Put, 101.0, 0.5, STEPS)
}

/// Spot, an option of a later expiry and a variance swap.
fn instruments() -> [Instrument; 3] {
    let option = Vanilla {
        asset: 0,
        kind: OptionKind::Call,
        strike: 104.0,
        expiry: 0.75,
    };
    [
        Instrument::SPOT,
        Instrument::Option(option),
        Instrument::VarianceSwap(0),
    ]
}

fn paths() -> Paths<f64> {
    let quotes = Quotes::new(&market().into(), &contract(), &instruments());
    let quotes = quotes.with_option_states(true);
    simulator(market(), contract()).paths_with(&quotes, 0, BLOCK)
}

fn positions() -> Vec<Lane<f64>> {
    let of = |i: usize| std::array::from_fn(|lane| ((i * 7 + lane * 3) as f64 + 0.5).sin());
    (0..3 * STEPS).map(of).collect()
}

/// A ledger on which every instrument costs `charge`.
fn ledger(charge: Charge, liquidation: bool) -> Ledger {
    let costs = Costs {
        spot: charge,
        liquidation,
    };
    let ledger = Ledger::new(contract(), costs, &market(), 3.0);
    let [_, option, swap] = instruments();
    ledger
        .with_instrument(option, charge)
        .with_instrument(swap, charge)
}

/// Every kind of cost.
fn all() -> Charge {
    Charge {
        fixed: Fixed::exact(0.3),
        quadratic: Quadratic { share: 0.01 },
        square_root: SquareRoot::new(0.9, 400.0, 252.0),
        vega: VegaShare { share: 0.02 },
        option_spread: OptionSpread::new(0.15, 0.5, 0.25),
        ..Charge::linear(0.02, 0.15)
    }
}

const FINANCING: Financing = Financing {
    borrow: 0.05,
    lend: 0.02,
    stock_borrow: 0.08,
    margin: 0.3,
    margin_spread: 0.04,
};

/// ∂z/∂δ_t against central differences of z, in spot, option and swap, for each cost alone, all of them with their jumps smoothed, and
/// financing at each of them, whose rate depends on the sign of the cash.
#[test]
fn derivatives_are_those_of_the_settlement() {
    const STEP: f64 = 1e-5;
    let (paths, positions) = (paths(), positions());
    let block = paths.block(0);
    let mut charges = all().parts();
    charges.extend([Charge::FREE, all(), all().smoothed(0.05)]);
    for charge in charges {
        for financing in [Financing::default(), FINANCING] {
            for liquidation in [true, false] {
                let factors: Vec<f64> = (0..=STEPS).map(|t| 1.0 + 0.5 * t as f64).collect();
                let ledger = ledger(charge, liquidation)
                    .with_cost_factors(&factors)
                    .with_financing(financing);
                let mut derivative = vec![[0.0; BLOCK]; positions.len()];
                ledger.derivative(&block, &positions, &mut derivative);
                for place in 0..positions.len() {
                    let settle = |bump: f64| {
                        let mut moved = positions.clone();
                        moved[place].iter_mut().for_each(|p| *p += bump);
                        ledger.settle(&block, &moved).pnl
                    };
                    let (up, down) = (settle(STEP), settle(-STEP));
                    for lane in 0..BLOCK {
                        let difference = (up[lane] - down[lane]) / (2.0 * STEP);
                        assert!(
                            (difference - derivative[place][lane]).abs() < 2e-6,
                            "{charge:?} {financing:?} {place} {lane}: {difference} {}",
                            derivative[place][lane]
                        );
                    }
                }
            }
        }
    }
}

/// In single precision settlement and derivative are those of double precision.
#[test]
fn single_precision_agrees() {
    let (double, positions) = (paths(), positions());
    let ledger = ledger(all().smoothed(0.05), true).with_financing(FINANCING);
    let quotes = Quotes::new(&market().into(), &contract(), &instruments());
    let single: Paths<f32> =
        simulator(market(), contract()).paths_with(&quotes.with_option_states(true), 0, BLOCK);
    let rounded: Vec<Lane<f32>> = positions.iter().map(|row| row.map(|x| x as f32)).collect();
    let (mut fine, mut coarse) = (
        vec![[0.0; BLOCK]; positions.len()],
        vec![[0.0; BLOCK]; positions.len()],
    );
    ledger.derivative(&double.block(0), &positions, &mut fine);
    ledger.derivative(&single.block(0), &rounded, &mut coarse);
    let pnl = ledger.settle(&double.block(0), &positions).pnl;
    let single = ledger.settle(&single.block(0), &rounded).pnl;
    for lane in 0..BLOCK {
        assert!((pnl[lane] - f64::from(single[lane])).abs() < 2e-3);
        for (fine, coarse) in fine.iter().zip(&coarse) {
            assert!((fine[lane] - f64::from(coarse[lane])).abs() < 2e-3);
        }
    }
}

/// What all kinds of costs come to is the sum of what each alone comes to, and it is what the P&L falls by; the account has the same
/// costs, and with what financing earns adds up to the P&L.
#[test]
fn costs_and_financing_add_up() {
    let (paths, positions) = (paths(), positions());
    let block = paths.block(0);
    let settle = |charge: Charge| ledger(charge, true).settle(&block, &positions);
    let (free, whole) = (settle(Charge::FREE), settle(all()));
    let parts: Vec<_> = all().parts().into_iter().map(settle).collect();
    let financed = ledger(all(), true).with_financing(FINANCING);
    let account = financed.account(&block, &positions);
    let settled = financed.settle(&block, &positions);
    for lane in 0..BLOCK {
        let sum: f64 = parts.iter().map(|part| part.cost[lane]).sum();
        assert!((whole.cost[lane] - sum).abs() < 1e-12);
        assert!((free.pnl[lane] - whole.pnl[lane] - sum).abs() < 1e-12);
        let earned = account.financing[STEPS][lane];
        assert!((settled.pnl[lane] - whole.pnl[lane] - earned).abs() < 1e-12);
        assert!((account.cost[STEPS][lane] - settled.cost[lane]).abs() < 1e-12);
        let pnl = financed.at_expiry(3.0) - account.paid[STEPS][lane] + account.gain[STEPS][lane]
            - account.cost[STEPS][lane]
            + earned;
        assert!((pnl - settled.pnl[lane]).abs() < 1e-12);
        assert!(earned < 0.0 && account.financing[0][lane] == 0.0);
    }
}

/// Financing that costs nothing is none: the same bits. A margin that is funded at the rate is free too.
#[test]
fn free_financing_changes_no_bit() {
    let (paths, positions) = (paths(), positions());
    let block = paths.block(0);
    let free = Financing {
        margin: 0.5,
        ..Financing::default()
    };
    let pnl = |ledger: Ledger| ledger.settle(&block, &positions).pnl;
    let plain = pnl(ledger(all(), true));
    assert_eq!(pnl(ledger(all(), true).with_financing(free)), plain);
    assert!(free.is_free() && !FINANCING.is_free());
}

/// Where borrowing costs as much more than the rate as lending earns more than it, the P&L in money of the expiry is that of a ledger
/// at the higher rate: there is one rate, whatever the sign of the cash.
#[test]
fn one_spread_on_either_side_is_another_rate() {
    const SPREAD: f64 = 0.03;
    let (paths, positions) = (paths(), positions());
    let block = paths.block(0);
    let spread = Financing {
        borrow: SPREAD,
        lend: -SPREAD,
        ..Financing::default()
    };
    let costs = Costs {
        spot: all(),
        liquidation: true,
    };
    let at = |rate: f64| {
        let market = Market {
            rate: rate.into(),
            ..market()
        };
        let ledger = Ledger::new(contract(), costs, &market, 3.0);
        let [_, option, swap] = instruments();
        let ledger = ledger.with_instrument(option, all());
        ledger.with_instrument(swap, all())
    };
    let (spread, shifted) = (at(0.04).with_financing(spread), at(0.04 + SPREAD));
    let (pnl, expected) = (
        spread.settle(&block, &positions).pnl,
        shifted.settle(&block, &positions).pnl,
    );
    let mut slopes = [(); 2].map(|()| vec![[0.0; BLOCK]; positions.len()]);
    for (ledger, slopes) in [&spread, &shifted].into_iter().zip(&mut slopes) {
        ledger.derivative(&block, &positions, slopes);
    }
    for lane in 0..BLOCK {
        assert!((pnl[lane] - expected[lane]).abs() < 1e-11);
        for (one, other) in slopes[0].iter().zip(&slopes[1]) {
            assert!((one[lane] - other[lane]).abs() < 1e-11);
        }
    }
}

/// By hand, on paths whose spot doubles evenly: one share is bought with a premium of 30 and a loan of 70 at 4 % + 5 % until expiry; or
/// one is sold short, so that 130 are lent at 4 % − 2 %, and fees of 8 % for the share and of 4 % on a margin of 30 % are paid at the
/// end of each period.
#[test]
fn a_share_bought_on_credit_and_one_sold_short() {
    const PREMIUM: f64 = 30.0;
    let market = Market {
        rate: 0.04.into(),
        ..gbm(0.0)
    };
    let contract = Contract::option(OptionKind::Call, 150.0, 0.5, STEPS);
    let costs = Costs {
        spot: Charge::FREE,
        liquidation: true,
    };
    let dt = 0.5 / STEPS as f64;
    let spot: Vec<f64> = (0..=STEPS)
        .map(|t| 100.0 * (1.0 + t as f64 / STEPS as f64))
        .collect();
    let variance = [0.04; STEPS + 1];
    let paths = Paths::from_rows(STEPS, std::iter::once((&spot[..], &variance[..])));
    let paths = paths.under(&contract);
    let ledger = Ledger::new(contract, costs, &market, PREMIUM).with_financing(Financing {
        margin: 0.0,
        ..FINANCING
    });
    let pnl = |ledger: &Ledger, position: f64| {
        let positions = vec![[position; BLOCK]; STEPS];
        ledger.settle(&paths.block(0), &positions).pnl[0]
    };
    let bought = (PREMIUM - 100.0) * (0.09_f64 * 0.5).exp() + 200.0 - 50.0;
    assert!((pnl(&ledger, 1.0) - bought).abs() < 1e-11);
    let ledger = ledger.with_financing(FINANCING);
    let mut cash = PREMIUM + 100.0;
    for spot in &spot[..STEPS] {
        let fee = (0.08 * dt).exp_m1() + 0.3 * (0.04 * dt).exp_m1();
        cash = cash * (0.02 * dt).exp() - spot * fee;
    }
    let sold = cash - 200.0 - 50.0;
    assert!((pnl(&ledger, -1.0) - sold).abs() < 1e-11);
}

/// What a contract brought beside the ledger's premium is cash from its sale on: as receipts of the paths it is financed like a
/// premium of the ledger.
#[test]
fn receipts_are_cash_from_the_sale_on() {
    let quotes = Quotes::new(&market().into(), &contract(), &instruments());
    let with = quotes.with_option_states(true).with_receipts(true);
    let mut paths: Paths<f64> = simulator(market(), contract()).paths_with(&with, 0, BLOCK);
    let positions = positions();
    let known = ledger(all(), true).with_financing(FINANCING);
    let expected = known.financed(&paths.block(0), &positions);
    let unknown = Ledger {
        premium: 0.0,
        ..known.clone()
    };
    paths.receive(&[known.at_expiry(3.0); BLOCK]);
    assert_eq!(unknown.financed(&paths.block(0), &positions), expected);
    paths.receive(&[0.0; BLOCK]);
    assert_ne!(unknown.financed(&paths.block(0), &positions), expected);
}
