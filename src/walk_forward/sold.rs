//! What is sold on history and how it is hedged, in words.

use crate::contract::{Charge, Contract, Cost, Instrument, SquareRoot};
use crate::hedging::Financing;
use crate::market::estimation::VarianceEstimator;
use crate::market::{Assets, Curve};
use crate::numbers::{self, significant};
use crate::runs::precision::listed;
use crate::runs::walk_forward::Results;
use crate::strategy::{BacktestPlan, Plan, Rates, Schedule, Strike};

/// What is sold, when, and how it is hedged, in a sentence, and the unit of its P&L; nothing if nothing is sold.
pub fn sold(plan: &Plan, settings: &BacktestPlan, results: &Results) -> Option<(String, String)> {
    let contract = &plan.contract;
    let schedule = match settings.schedule {
        Schedule::NonOverlapping => "when the contract before expires".into(),
        Schedule::Every(days) => format!("every {days} trading days"),
        Schedule::Weekly => "on the first trading day of every week".into(),
        Schedule::Monthly => "on the first trading day of every month".into(),
    };
    let (first, last) = (results.reported().next()?, results.reported().last()?);
    let share = |strike: f64| numbers::share(strike / plan.market.spot);
    let assets = plan.assets();
    let (strike, unit) = match (plan.strike, upper_strike(contract)) {
        (Strike::Delta { size, .. }, _) => (
            format!("struck at a Black–Scholes delta of {size}, "),
            format!("for a strike of {}", significant(contract.strike, 5)),
        ),
        (Strike::Moneyness, None) if !plan.has_strike() => (String::new(), unit(&assets)),
        (Strike::Moneyness, upper) => (
            match upper {
                None => format!("struck at {} of the spot, ", share(contract.strike)),
                Some(upper) => format!(
                    "struck at {} and {} of the spot, ",
                    share(contract.strike),
                    share(upper)
                ),
            },
            unit(&assets),
        ),
    };
    let carry = match settings.rates {
        Rates::Zero => carry(&assets, plan.contract.expiry),
        Rates::File => "at the surface file's rate on the day of the sale".into(),
    } + &financing(&plan.financing);
    let sentence = format!(
        "{} {}s on `{}`, sold {schedule} from {} to {}, {strike}{} trading days, {carry}, hedged daily with {}, {} at expiry.",
        results.contracts(),
        contract.name,
        settings.file_names(),
        first.first_sale,
        last.last_sale,
        contract.steps,
        hedge(plan),
        if plan.liquidation {
            "closed at the same costs"
        } else {
            "carried on without costs"
        },
    );
    Some((sentence, unit))
}

/// Whether contracts are sold at variances that differ.
pub fn varies(plan: &Plan, settings: &BacktestPlan) -> bool {
    let assets = plan.assets();
    let mut models = assets.list().iter().map(|asset| &asset.market.model);
    let constant = models.all(|model| model.variance_process().is_constant());
    !constant || settings.variance != VarianceEstimator::Model
}

/// What is traded, and at what costs.
fn hedge(plan: &Plan) -> String {
    let costs = |charge: &Charge| {
        let Charge {
            linear,
            fixed,
            quadratic,
            square_root,
            vega,
            option_spread,
        } = *charge;
        let mut words = Vec::new();
        if linear.proportional != 0.0 {
            let share = numbers::share(linear.proportional);
            words.push(format!("costs of {share} of the value traded"));
        }
        if linear.half_spread != 0.0 {
            let wider = if option_spread.asks_of_options() {
                ", wider away from the money and with time"
            } else {
                ""
            };
            words.push(format!("a half-spread of {}{wider}", linear.half_spread));
        }
        if fixed.amount != 0.0 {
            words.push(format!("a fixed cost of {} a trade", fixed.amount));
        }
        if quadratic.share != 0.0 {
            words.push(format!(
                "a linear impact of {} of the price a unit",
                numbers::share(quadratic.share)
            ));
        }
        if square_root != SquareRoot::default() {
            words.push("square-root impact".to_owned());
        }
        if vega.share != 0.0 {
            words.push(format!("a half-spread in volatility of {}", vega.share));
        }
        match words.is_empty() {
            true => "without costs".to_owned(),
            false => format!("at {}", listed(&words)),
        }
    };
    let assets = plan.assets();
    let several = assets.count() > 1;
    let quoted = match plan.backtest.as_ref().and_then(|of| of.surface.as_ref()) {
        Some(_) => "at the surface of the day",
        None => "at the model's price",
    };
    let traded = plan.instruments.iter().map(|(instrument, charge)| {
        let of = |word: &str| match several {
            true => format!(" {word} {}", assets.list()[instrument.asset()].name),
            false => String::new(),
        };
        let name = match instrument {
            Instrument::Spot(_) => format!("the spot{}", of("of")),
            Instrument::VarianceSwap(_) => format!("a variance swap{}", of("of")),
            Instrument::Option(option) => {
                let ratio = option.expiry / plan.contract.expiry;
                let days = (ratio * plan.contract.steps as f64).round();
                format!(
                    "a {}{} of strike {} over {days} trading days ({quoted})",
                    option.kind,
                    of("on"),
                    option.strike
                )
            }
        };
        format!("{name} {}", costs(charge))
    });
    let traded = listed(&traded.collect::<Vec<_>>());
    let dated = plan.backtest.as_ref().map(|settings| &settings.costs);
    let steady = plan.cost_schedule.is_flat() && dated.is_none_or(|costs| costs.is_flat());
    match steady {
        true => traded,
        false => format!("{traded}, times factors that change over time"),
    }
}

/// The greatest strike, where there are several.
fn upper_strike(contract: &Contract) -> Option<f64> {
    let strikes = contract.legs().unwrap_or_default().iter();
    let most = strikes
        .map(|leg| leg.strike)
        .fold(contract.strike, f64::max);
    (most > contract.strike).then_some(most)
}

/// The unit of P&L on contracts that begin at the spots of `assets`, whatever the closes are.
fn unit(assets: &Assets) -> String {
    match assets.list() {
        [one] if one.market.spot == 100.0 => {
            "in percent of the spot at the sale (for a spot of 100)".into()
        }
        [one] => format!("in money for a spot of {} at the sale", one.market.spot),
        several => {
            let spots = several.iter();
            let spots = spots.map(|asset| format!("{} of {}", asset.market.spot, asset.name));
            format!(
                "in money for spots of {} at the sale",
                listed(&spots.collect::<Vec<_>>())
            )
        }
    }
}

/// The rate and the dividend yields.
fn carry(assets: &Assets, expiry: f64) -> String {
    let shown = |curve: &Curve| match curve.constant() {
        Some(rate) => numbers::share(rate),
        None => format!(
            "{} on average until expiry",
            numbers::share(curve.average(0.0, expiry))
        ),
    };
    let rate = &assets.first().rate;
    let yields = assets.list().iter().map(|asset| &asset.market.dividend);
    let mut all = yields.chain([rate]);
    if all.all(|curve| curve.constant() == Some(0.0)) {
        return "without interest and dividends".into();
    }
    let rate = shown(rate);
    let yields = assets.list().iter().map(|asset| {
        let dividend = shown(&asset.market.dividend);
        match assets.count() {
            1 => dividend,
            _ => format!("{dividend} of {}", asset.name),
        }
    });
    match assets.count() {
        1 => format!(
            "at a rate of {rate} and a dividend yield of {}",
            yields.collect::<String>()
        ),
        _ => format!(
            "at a rate of {rate} and dividend yields of {}",
            listed(&yields.collect::<Vec<_>>())
        ),
    }
}

/// What financing costs beyond the rate; nothing where it is free.
fn financing(terms: &Financing) -> String {
    if terms.is_free() {
        return String::new();
    }
    let parts = [
        (terms.borrow, "a spread of borrowing"),
        (terms.lend, "a spread of lending"),
        (terms.stock_borrow, "a fee for shares sold short"),
        (terms.margin * terms.margin_spread, "a cost of margin"),
    ];
    let words = parts.iter().filter(|(rate, _)| *rate != 0.0);
    let words = words.map(|(rate, what)| format!("{what} of {}", numbers::share(*rate)));
    format!(" with {}", listed(&words.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Asset, Correlation, GbmParameters, Market};

    fn market(spot: f64, dividend: f64) -> Market {
        Market {
            model: GbmParameters { volatility: 0.2 }.into(),
            spot,
            rate: 0.02.into(),
            dividend: dividend.into(),
        }
    }

    /// Money is percent of the spot for a spot of 100 alone; several assets are said by their names.
    #[test]
    fn money_is_called_percent_for_a_spot_of_100_alone() {
        assert!(unit(&market(100.0, 0.0).into()).starts_with("in percent"));
        let one = Assets::from(market(65.51, 0.01));
        assert_eq!(unit(&one), "in money for a spot of 65.51 at the sale");
        assert_eq!(
            carry(&one, 0.1),
            "at a rate of 2 % and a dividend yield of 1 %"
        );
        assert_eq!(financing(&Financing::default()), "");
        let terms = Financing {
            borrow: 0.03,
            margin: 0.5,
            margin_spread: 0.02,
            ..Financing::default()
        };
        assert_eq!(
            financing(&terms),
            " with a spread of borrowing of 3 % and a cost of margin of 1 %"
        );
        let named = |name: &str, market| Asset {
            name: name.into(),
            market,
        };
        let list = vec![
            named("spx", market(100.0, 0.015)),
            named("vix", market(20.0, 0.0)),
        ];
        let two = Assets::new(list, Correlation::independent(2)).unwrap();
        assert_eq!(
            unit(&two),
            "in money for spots of 100 of spx and 20 of vix at the sale"
        );
        assert_eq!(
            carry(&two, 0.1),
            "at a rate of 2 % and dividend yields of 1.5 % of spx and 0 % of vix"
        );
    }
}
