//! What is told of a contract's life is what its hedge paid for.

use super::*;
use crate::market::history::fixture::{Scratch, closes, write};
use crate::simd::BLOCK;

fn contracts(name: &str, terms: &str) -> Contracts {
    let scratch = Scratch::new(&format!("lived-{name}"));
    let text = format!(
        "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\n{terms}\nexpiry_days = 10\ndays_per_year = 365\n\
         [costs]\nproportional = 0.002\n[backtest]\ndata = '{}'\nstart = \"2001-02-01\"\nspacing = \"weekly\"\n\
         parameters = \"strategy\"\n",
        write(&scratch.0, &closes(600)).display()
    );
    let plan = Plan::parse(&text, |_| {}).unwrap();
    Contracts::cut(&plan, plan.backtest.as_ref().unwrap()).unwrap()
}

/// Of a hedge that holds more at every close, what is traded at the closes' spots is what costs were paid on, contract by contract;
/// days are those of the life, prices end at what is paid, and the last delta is none. A contract that ends early, at its barrier,
/// holds nothing from there on, and one that does not holds something until its expiry.
#[test]
fn what_is_traded_is_paid_for() {
    for (name, terms) in [
        ("call", "strike = 100"),
        (
            "barrier",
            "type = \"down_and_out_call\"\nstrike = 100\nbarrier = 99",
        ),
    ] {
        let contracts = contracts(name, terms);
        let held = |group: &Group| -> Vec<Lane<f64>> {
            let steps = group.plan.contract.steps;
            let dates = (0..group.paths.blocks()).flat_map(|_| 0..steps);
            dates.map(|t| [0.3 + 0.05 * t as f64; BLOCK]).collect()
        };
        let positions: Vec<Vec<Lane<f64>>> = contracts.groups.iter().map(held).collect();
        let settled = contracts.settle(&positions);
        let mut early = 0;
        for (i, cost) in settled.book.cost.iter().enumerate() {
            let lived = contracts.lived(i, &positions).unwrap();
            assert_eq!(lived.dates, contracts.days[i]);
            let column = |name: &str| {
                let mut columns = lived.columns.iter();
                &columns.find(|(column, _)| column == name).unwrap().1
            };
            let (spot, units) = (column("spot"), column("position_spot"));
            let before = std::iter::once(&0.0).chain(units);
            let trades = units.iter().zip(before).map(|(now, before)| now - before);
            let traded: f64 = trades
                .zip(spot)
                .map(|(trade, spot)| trade.abs() * spot)
                .sum();
            assert!(
                (0.002 * traded - cost).abs() < 1e-12,
                "{name} {i}: {traded} {cost}"
            );
            let last = spot.len() - 1;
            assert!(units[0] == 0.3 && units[last] == 0.0);
            let ended = spot
                .iter()
                .position(|spot| name == "barrier" && *spot <= 99.0);
            match ended.filter(|end| *end < last) {
                None => assert!(units[last - 1] > 0.5),
                Some(end) => {
                    early += 1;
                    assert!(units[end - 1] > 0.0 && units[end..].iter().all(|held| *held == 0.0));
                }
            }
            let (price, delta) = (column("contract_price"), column("model_delta"));
            let paid = match ended {
                None => (spot[last] - 100.0).max(0.0),
                Some(_) => 0.0,
            };
            assert!((price[last] - paid).abs() < 1e-9 && delta[last].is_nan());
            assert_eq!(column("strike")[0], 100.0);
        }
        assert_eq!(early > 0, name == "barrier", "{early}");
    }
}
