use super::*;
use crate::market::history::fixture::day;

/// Weekly contracts of a learned policy with two seeds and two classical hedges.
fn book(shift: f64) -> Book {
    let count = 120;
    let contracts = (0..count).map(|i| Sold {
        sold: day(7 * i),
        expiry: day(7 * i + 30),
        volatility: 0.1 + 0.001 * i as f64,
        problem: None,
    });
    let common = |i: usize| (i as f64 * 1.7).sin();
    let row = |name: &str, classical: bool, books: Vec<Vec<f64>>| Hedged {
        name: name.into(),
        title: name.into(),
        classical,
        seeds: if classical { 0 } else { books.len() },
        books: books
            .into_iter()
            .map(|pnl| {
                let cost = pnl.iter().map(|z| 0.1 + 0.01 * z.abs()).collect();
                (pnl, cost)
            })
            .collect(),
    };
    let seed =
        |k: f64| (0..count).map(move |i| shift + 0.8 * common(i) + 0.01 * k * (i as f64).cos());
    Book {
        contracts: contracts.collect(),
        rows: vec![
            row(
                "kfac",
                false,
                vec![seed(1.0).collect(), seed(2.0).collect()],
            ),
            row(
                "naked",
                true,
                vec![(0..count).map(|i| 2.0 * common(i)).collect()],
            ),
            row("delta", true, vec![(0..count).map(common).collect()]),
        ],
    }
}

fn compared(book: &Book) -> Compared {
    let risk = Risk::cvar(0.9);
    let measures = Measures {
        seed: 1,
        risk: &risk,
    };
    book.compared(Phase::Test, &measures).unwrap()
}

/// Values are those of the P&L, means over seeds; differences are paired: a policy that differs from a hedge by a factor
/// and a little noise is told from it although both vary much; the best classical hedge has the least risk; every tercile
/// has a third of the contracts.
#[test]
fn rows_are_compared_on_the_same_contracts() {
    let book = book(0.0);
    let found = compared(&book);
    assert_eq!((found.contracts, found.days), (120, 120));
    // 40 trading days are 58 days of the calendar, and sales lie 7 apart.
    assert!((found.block - 40.0 * 365.25 / 252.0 / 7.0).abs() < 1e-12);
    let kfac = found.row("kfac").unwrap();
    let by_hand = mean(
        &book.rows[0]
            .books
            .iter()
            .map(|(z, _)| cvar(z, 0.9))
            .collect::<Vec<_>>(),
    );
    assert!((kfac.cvar.value - by_hand).abs() < 1e-12 && kfac.risk == kfac.cvar.value);
    assert_eq!(found.best(true).unwrap().name, "delta");
    assert_eq!(found.best(false).unwrap().name, "kfac");
    assert_eq!(found.differences.len(), 8);
    let against: Vec<&Test> = found.against("kfac", "delta").collect();
    let names: Vec<&str> = against.iter().map(|test| test.statistic.as_str()).collect();
    assert_eq!(names, STATISTICS);
    let std = against[1].difference;
    assert!(
        std.interval.high < 0.0
            && (std.value + 0.2 * deviation(&book.rows[2].books[0].0)).abs() < 0.01
    );
    // Each alone is known far less well than their difference.
    let alone = found.row("delta").unwrap().std.interval;
    assert!(std.interval.high - std.interval.low < 0.5 * (alone.high - alone.low));
    assert!(
        found
            .differences
            .iter()
            .all(|test| test.corrected >= test.p)
    );
    assert_eq!(
        found
            .regimes
            .iter()
            .map(|one| one.contracts)
            .collect::<Vec<_>>(),
        [40, 40, 40]
    );
    let years: usize = found.years.iter().map(|year| year.contracts).sum();
    assert_eq!((years, found.worst[0].contracts.len()), (120, 10));
    let lost = |of: &WorstContract| of.pnl[0].1;
    assert!(
        found.worst[0]
            .contracts
            .windows(2)
            .all(|pair| lost(&pair[0]) <= lost(&pair[1]))
    );
    let total = book.cumulative("delta").last().unwrap().1;
    assert!((total - book.rows[2].books[0].0.iter().sum::<f64>()).abs() < 1e-9);
}

/// A shift of every P&L moves the mean and the CVaR by as much and leaves the deviation, on every resample.
#[test]
fn a_shift_moves_the_mean_alone() {
    let (here, there) = (compared(&book(0.0)), compared(&book(0.25)));
    let pairs = here.differences.iter().zip(&there.differences);
    for (a, b) in pairs {
        let moved = match a.statistic.as_str() {
            "cvar" => -0.25,
            "mean" => 0.25,
            "std" => 0.0,
            _ => continue,
        };
        assert!((b.difference.value - a.difference.value - moved).abs() < 1e-9);
        assert!((b.difference.interval.low - a.difference.interval.low - moved).abs() < 1e-9);
    }
}

/// Of two problems, contracts are pooled day by day: a day of sale is a window with two contracts, each problem is a slice,
/// and a row that one of them lacks is left out.
#[test]
fn problems_are_pooled_by_day() {
    let (first, mut second) = (book(0.0), book(-0.1));
    second.rows.remove(1);
    let pooled = Book::pooled(&[("95 %", &first), ("105 %", &second)]);
    let names: Vec<&str> = pooled.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["kfac", "delta"]);
    let found = compared(&pooled);
    assert_eq!((found.contracts, found.days), (240, 120));
    let slices: Vec<(&str, usize)> = found
        .problems
        .iter()
        .map(|one| (one.name.as_str(), one.contracts))
        .collect();
    assert_eq!(slices, [("95 %", 120), ("105 %", 120)]);
    let delta = found.row("delta").unwrap().mean.value;
    let own = |book: &Book| mean(&book.rows.last().unwrap().books[0].0);
    assert!((delta - 0.5 * (own(&first) + own(&second))).abs() < 1e-12);
}
