use super::series::deepest;
use super::*;
use crate::risk::cvar;
use crate::runs::fixture;
use chrono::Datelike;

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, month, day).unwrap()
}

/// The sum of P&L of a strategy, averaged over its seeds.
fn total(table: &BacktestTable, strategy: &str) -> f64 {
    let seeds: Vec<_> = table
        .books
        .iter()
        .filter(|book| book.strategy == strategy)
        .collect();
    let sums = seeds.iter().flat_map(|book| &book.pnl).sum::<f64>();
    sums / seeds.len() as f64
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} {b}");
}

/// Whether P&L falls on days or on expiries, differences end at the difference of all P&L, and months and years add up to it.
#[test]
fn sums_end_at_all_that_was_earned() {
    let (metrics, table, daily) = (fixture::metrics(), fixture::backtest(), fixture::daily());
    for daily in [Some(&daily), None] {
        let sheet = TearSheet::new(&metrics, None, &table, daily).unwrap();
        assert_eq!(sheet.by_day, daily.is_some());
        for (strategy, points) in sheet.pnl() {
            close(points.last().unwrap().1, total(&table, strategy));
        }
        let curves = sheet.relative("adam").unwrap();
        assert!(sheet.relative("nobody").is_none());
        assert_eq!(curves.len(), sheet.strategies().count() - 1);
        for (strategy, points) in &curves {
            let expected = total(&table, strategy) - total(&table, "adam");
            close(points.last().unwrap().1, expected);
            let months = sheet.months(strategy, Some("adam")).unwrap();
            close(
                months.years.iter().map(|(_, m)| Months::total(m)).sum(),
                expected,
            );
        }
        let months = sheet.months("kfac", None).unwrap();
        close(
            months.years.iter().map(|(_, m)| Months::total(m)).sum(),
            total(&table, "kfac"),
        );
        let years = sheet.years();
        let of_kfac = years.iter().map(|year| year.strategies[0].total);
        close(of_kfac.sum(), total(&table, "kfac"));
        assert_eq!(years.iter().map(|year| year.contracts).sum::<usize>(), 24);
    }
    // By hand: the contracts that expired in February 2022.
    let sheet = TearSheet::new(&metrics, None, &table, None).unwrap();
    let of = |book: &BacktestBook| -> f64 {
        let own = book.expiry.iter().zip(&book.pnl);
        let own = own.filter(|(expiry, _)| (expiry.year(), expiry.month()) == (2022, 2));
        own.map(|(_, pnl)| pnl).sum()
    };
    let naked = table
        .books
        .iter()
        .find(|book| book.strategy == "naked")
        .unwrap();
    let months = sheet.months("naked", None).unwrap();
    close(months.years[0].1[1].unwrap(), of(naked));
    assert_eq!(months.years[0].0, 2022);
}

/// A run with one strategy on contracts that are sold on the first day of 2024.
fn alone(pnl: &[f64], cost: f64) -> (Metrics, BacktestTable) {
    let mut metrics = fixture::metrics();
    metrics.backtest.retain(|row| row.strategy == "naked");
    metrics.backtest_comparisons.clear();
    let rows = pnl.len();
    let book = BacktestBook {
        strategy: "naked".into(),
        seed: None,
        date: vec![day(1, 1); rows],
        expiry: (0..rows).map(|row| day(2, 1 + row as u32)).collect(),
        premium: vec![1.0; rows],
        pnl: pnl.to_vec(),
        cost: vec![cost; rows],
        turnover: vec![1.0; rows],
    };
    (metrics, BacktestTable { books: vec![book] })
}

/// A hedge that loses its costs and nothing else has no drawdown net of them. By hand at a cost of 1: P&L 1, −4, 1, 3, 0 is net 2, −3, 2,
/// 4, 1, which adds up to 2, −1, 1, 5, 6: it falls by 3 from the first expiry to the second, and has recovered by the fourth.
#[test]
fn drawdowns_are_net_of_costs() {
    let (metrics, table) = alone(&[-1.0; 5], 1.0);
    let sheet = TearSheet::new(&metrics, None, &table, None).unwrap();
    assert_eq!(
        (sheet.leading.strategy.as_str(), &sheet.leading.baseline),
        ("naked", &None)
    );
    assert!(
        sheet.drawdowns()[0]
            .1
            .iter()
            .all(|(_, below)| below.abs() < 1e-12)
    );

    let (metrics, table) = alone(&[1.0, -4.0, 1.0, 3.0, 0.0], 1.0);
    let sheet = TearSheet::new(&metrics, None, &table, None).unwrap();
    let found = deepest(&sheet.drawdowns()[0].1).unwrap();
    close(found.depth, 3.0);
    assert_eq!((found.from, found.to), (Some(day(2, 1)), day(2, 2)));
    assert_eq!(found.recovered, Some(day(2, 4)));

    // Never above zero, and never recovered.
    let falls = [(day(1, 1), -1.0), (day(1, 2), -4.0), (day(1, 3), -2.0)];
    let found = deepest(&falls).unwrap();
    assert_eq!(
        (found.depth, found.from, found.recovered),
        (4.0, None, None)
    );
    assert!(deepest(&[(day(1, 1), 0.0)]).is_none());
}

/// A window is half of 24 contracts. The last one has the statistics of the last twelve expiries, a mean over seeds.
#[test]
fn the_last_window_has_the_last_contracts() {
    let (metrics, table) = (fixture::metrics(), fixture::backtest());
    let sheet = TearSheet::new(&metrics, None, &table, None).unwrap();
    let seeds: Vec<_> = table
        .books
        .iter()
        .filter(|book| book.strategy == "kfac")
        .collect();
    let mean = |of: &dyn Fn(&[f64]) -> f64| {
        seeds.iter().map(|book| of(&book.pnl[12..])).sum::<f64>() / seeds.len() as f64
    };
    let deviation = |pnl: &[f64]| {
        let mean = pnl.iter().sum::<f64>() / 12.0;
        (pnl.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / 11.0).sqrt()
    };
    for (risk, expected) in [
        (RollingRisk::Deviation, mean(&deviation)),
        (RollingRisk::Cvar, mean(&|pnl| cvar(pnl, 0.95))),
    ] {
        let rolling = sheet.rolling(risk, |strategy| strategy == "kfac").unwrap();
        assert_eq!((rolling.contracts, rolling.curves.len()), (12, 1));
        let (strategy, points) = &rolling.curves[0];
        assert_eq!((*strategy, points.len()), ("kfac", 13));
        let (date, last) = *points.last().unwrap();
        assert_eq!(date, *seeds[0].expiry.last().unwrap());
        close(last, expected);
    }
    let (metrics, table) = alone(&[1.0; 19], 0.0);
    let sheet = TearSheet::new(&metrics, None, &table, None).unwrap();
    assert!(sheet.rolling(RollingRisk::Cvar, |_| true).is_none());
}

/// The strategy and the baseline of the comparison lead, beside all other trained ones and the best classical hedge, and nobody else.
#[test]
fn figures_draw_who_is_compared() {
    let metrics = fixture::metrics();
    let leading = Leading::of(&metrics, None).unwrap();
    assert_eq!(leading.strategy, "kfac");
    assert_eq!(leading.baseline.as_deref(), Some("adam"));
    assert_eq!(leading.shown, ["kfac", "adam"]);
    let nothing = Metrics {
        backtest: Vec::new(),
        ..metrics
    };
    assert!(Leading::of(&nothing, None).is_none());
}

/// Colours end at the month that a twentieth of all exceed, so that one crash leaves the others visible.
#[test]
fn one_month_does_not_set_the_scale() {
    let mut months = [Some(1.0); 12];
    months[2] = Some(-100.0);
    let years = vec![(2020, months), (2021, [Some(-2.0); 12])];
    assert_eq!(Months { years }.scale(), 2.0);
}

/// Before the first sale of the table, as in the validation period of a walk-forward, no day is counted.
#[test]
fn days_before_the_first_sale_are_left_out() {
    let (metrics, daily) = (fixture::metrics(), fixture::daily());
    let mut table = fixture::backtest();
    for book in &mut table.books {
        for column in [
            &mut book.premium,
            &mut book.pnl,
            &mut book.cost,
            &mut book.turnover,
        ] {
            column.drain(..6);
        }
        book.date.drain(..6);
        book.expiry.drain(..6);
    }
    let sheet = TearSheet::new(&metrics, None, &table, Some(&daily)).unwrap();
    let first = table.books[0].date[0];
    for (_, points) in sheet.drawdowns() {
        assert!(points.iter().all(|(date, _)| *date >= first));
    }
}
