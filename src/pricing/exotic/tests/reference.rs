//! The closed forms against published numbers.

use super::*;
use serde_json::Value;

/// One row of `tests/reference/exotics.json` (QuantLib 1.44) or `exotics_discrete.json` (its rows name their source).
struct Row(Value);

impl Row {
    /// The rows of all products whose name begins so.
    fn all(product: &str) -> Vec<Self> {
        let texts = [
            include_str!("../../../../tests/reference/exotics.json"),
            include_str!("../../../../tests/reference/exotics_discrete.json"),
        ];
        let mut rows = Vec::new();
        for text in texts {
            let document: Value = serde_json::from_str(text).unwrap();
            let all = document["rows"].as_array().unwrap().iter();
            let named = all.filter(|row| row["product"].as_str().unwrap().starts_with(product));
            rows.extend(named.cloned().map(Row));
        }
        assert!(!rows.is_empty(), "{product}");
        rows
    }

    fn number(&self, key: &str) -> f64 {
        self.0[key].as_f64().unwrap()
    }

    /// A number of the second asset.
    fn second(&self, key: &str) -> f64 {
        self.0["second"][key].as_f64().unwrap()
    }

    fn product(&self) -> &str {
        self.0["product"].as_str().unwrap()
    }

    fn kind(&self) -> OptionKind {
        self.0["kind"].as_str().unwrap().parse().unwrap()
    }

    fn asset(&self) -> LognormalAsset {
        LognormalAsset {
            spot: self.number("spot"),
            rate: self.number("rate"),
            dividend: self.number("dividend"),
            volatility: self.number("vol"),
            expiry: self.number("expiry"),
        }
    }

    /// So many equidistant dates until expiry in years, each on the nearest whole day, as the rows have them.
    fn whole_days(&self, count: usize) -> Vec<f64> {
        let days = equidistant(count, 365.0 * self.number("expiry"));
        days.iter()
            .map(|day| day.round_ties_even() / 365.0)
            .collect()
    }

    /// The price within `bound` of the row's.
    fn check(&self, price: f64, bound: f64) {
        let error = price - self.number("price");
        assert!(error.abs() <= bound, "{price} for {}", self.0);
    }
}

/// The barrier option of a row, whose name ends in direction and knock.
fn barrier_of(row: &Row, spacing: f64) -> BarrierOption {
    let name = row.product();
    let direction = if name.contains("_down_") {
        Direction::Down
    } else {
        Direction::Up
    };
    let knock = if name.ends_with("_in") {
        Knock::In
    } else {
        Knock::Out
    };
    BarrierOption {
        asset: row.asset(),
        kind: row.kind(),
        strike: row.number("strike"),
        barrier: row.number("barrier"),
        direction,
        knock,
        spacing,
        touched: false,
    }
}

/// The continuous rows of QuantLib to 10⁻¹⁰.
#[test]
fn continuous_prices_equal_quantlib() {
    for row in Row::all("cash_or_nothing") {
        let option = Digital {
            asset: row.asset(),
            kind: row.kind(),
            strike: row.number("strike"),
            cash: row.number("cash"),
        };
        row.check(option.valuation().price, 1e-10);
    }
    for row in Row::all("geometric_asian_continuous") {
        let option = GeometricAsian {
            asset: row.asset(),
            kind: row.kind(),
            strike: row.number("strike"),
            average: AverageSoFar::Continuous {
                elapsed: 0.0,
                log_integral: 0.0,
            },
        };
        row.check(option.valuation().price, 1e-10);
    }
    for row in Row::all("barrier_continuous") {
        row.check(barrier_of(&row, 0.0).valuation().price, 1e-10);
    }
    for row in Row::all("lookback_fixed_continuous") {
        let option = FixedLookback {
            asset: row.asset(),
            kind: row.kind(),
            strike: row.number("strike"),
            extreme: row.number("spot"),
            spacing: 0.0,
        };
        row.check(option.valuation().price, 1e-10);
    }
    for row in Row::all("lookback_floating_continuous") {
        let option = FloatingLookback {
            asset: row.asset(),
            kind: row.kind(),
            extreme: row.number("spot"),
            spacing: 0.0,
        };
        row.check(option.valuation().price, 1e-10);
    }
    for row in Row::all("forward_start") {
        let option = ForwardStart {
            asset: row.asset(),
            kind: row.kind(),
            moneyness: row.number("moneyness"),
            start: row.number("reset"),
        };
        row.check(option.valuation().price, 1e-10);
    }
    for row in Row::all("one_touch_continuous_paid_at_expiry") {
        let option = Touch {
            asset: row.asset(),
            kind: TouchKind::OneTouch,
            barrier: row.number("barrier"),
            direction: Direction::Up,
            cash: row.number("cash"),
            spacing: 0.0,
            touched: false,
        };
        row.check(option.valuation().price, 1e-10);
    }
}

/// The rows of sampled averages and cliquets to 10⁻¹⁰, those of two assets within their tolerances.
#[test]
fn discrete_and_two_asset_prices_equal_quantlib() {
    for row in Row::all("geometric_asian_discrete") {
        let times = row.whole_days(row.number("fixings") as usize);
        let option = GeometricAsian {
            asset: row.asset(),
            kind: row.kind(),
            strike: row.number("strike"),
            average: AverageSoFar::Fixings {
                known: 0,
                log_sum: 0.0,
                times: &times,
            },
        };
        row.check(option.valuation().price, 1e-10);
    }
    let two = |row: &Row| TwoAssets {
        spots: [row.number("spot"), row.second("spot")],
        dividends: [row.number("dividend"), row.second("dividend")],
        volatilities: [row.number("vol"), row.second("vol")],
        correlation: row.number("correlation"),
        rate: row.number("rate"),
        expiry: row.number("expiry"),
    };
    for row in Row::all("two_asset_") {
        let choice = if row.product().contains("best") {
            Choice::Best
        } else {
            Choice::Worst
        };
        let option = RainbowOption {
            assets: two(&row),
            kind: row.kind(),
            choice,
            strike: row.number("strike"),
        };
        row.check(option.valuation().price, row.number("tolerance"));
    }
    for row in Row::all("exchange") {
        let option = Exchange { assets: two(&row) };
        row.check(option.valuation().price, 1e-10);
    }
    for row in Row::all("cliquet") {
        // QuantLib's cliquet begins at the first reset: the period before it is not one of its options.
        let dates = row.whole_days(row.number("resets") as usize);
        let option = |period: &[f64]| ForwardStart {
            asset: LognormalAsset {
                expiry: period[1],
                ..row.asset()
            },
            kind: Call,
            moneyness: row.number("moneyness"),
            start: period[0],
        };
        let price = dates
            .windows(2)
            .map(|period| option(period).valuation().price)
            .sum();
        row.check(price, 1e-10);
    }
}

/// Discretely watched barriers against exact transitions: by quadrature within the row's tolerance, and by the shifted
/// barrier within what it is known to miss.
#[test]
fn barriers_at_dates_equal_exact_transitions() {
    let (mut largest, mut out_of_the_money) = (0f64, 0f64);
    for row in Row::all("barrier_discrete") {
        let option = barrier_of(&row, row.number("expiry") / row.number("monitoring"));
        row.check(option.at_dates().price, row.number("tolerance"));
        let error = (option.valuation().price - row.number("price")).abs();
        largest = largest.max(error);
        if option.kind.sign() == option.direction.side() {
            out_of_the_money = out_of_the_money.max(error);
        }
    }
    assert!(
        largest < 0.057 && out_of_the_money < 0.006,
        "{largest} {out_of_the_money}"
    );
}

/// No row of the two files is passed over: the tests here check all but American options, which have no closed form and whose prices
/// by simulation `tests/it/exotic_prices.rs` checks.
#[test]
fn every_row_has_its_closed_form_but_american_options() {
    let checked = [
        "cash_or_nothing",
        "geometric_asian_continuous",
        "barrier_continuous",
        "lookback_fixed_continuous",
        "lookback_floating_continuous",
        "forward_start",
        "one_touch_continuous_paid_at_expiry",
        "geometric_asian_discrete",
        "two_asset_",
        "exchange",
        "cliquet",
        "barrier_discrete",
    ];
    let rows: usize = checked.iter().map(|product| Row::all(product).len()).sum();
    assert_eq!(Row::all("").len(), rows + Row::all("american").len());
    assert_eq!(Row::all("american").len(), 8);
}
