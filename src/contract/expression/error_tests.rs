//! Refusals as they are read.

use super::fixture::{names, payment, payoff, sheet};
use super::{Expression, Grid, Program, Sheet};

fn refusal(text: &str) -> String {
    let refused = payoff(text).and_then(|sheet| {
        Program::new(
            &sheet,
            &names(&["spx", "dax"]),
            Grid::new(12, 1.0 / 12.0, 252.0),
        )
    });
    refused.unwrap_err().to_string()
}

/// The first line says key, place and fault; the place is marked below the text.
#[test]
fn a_refusal_shows_the_place() {
    assert_eq!(
        refusal("max(averge(S.spx) - K, 0)"),
        "`contract.payoff`, line 1, column 5: no function is called `averge`, did you mean `average`?
    max(averge(S.spx) - K, 0)
        ^^^^^^"
    );
    assert_eq!(
        refusal("max(\n  average(S.spx) - KK,\n  0)"),
        "`contract.payoff`, line 2, column 20: no parameter is called `KK`, did you mean `K`?
      average(S.spx) - KK,
                       ^^"
    );
}

/// One line for each fault: the text, the column and the words.
#[test]
fn refusals_are_plain_sentences() {
    let schedules = "daily, weekly, monthly, quarterly, yearly, every(n) or fixings(n)";
    let table = [
        ("", 1, "a value is missing at the end".to_owned()),
        ("max(S.spx - K, 0", 4, "this parenthesis is not closed".to_owned()),
        ("(S.spx", 1, "this parenthesis is not closed".to_owned()),
        ("S.spx)", 6, "no parenthesis is open here".to_owned()),
        ("max(S.spx K)", 11, "an operator or a comma is missing before this".to_owned()),
        ("2 K", 3, "an operator is missing before this".to_owned()),
        ("S.spx * / 2", 9, "a value is missing before this".to_owned()),
        ("2 ** 3", 4, "a value is missing before this; a power is written with `^`".to_owned()),
        ("max(1, )", 8, "a value is missing before this".to_owned()),
        ("S.spx + and", 9, "a value is missing before this".to_owned()),
        ("when(K = 1, 1, 2)", 8, "two numbers are compared with `==`".to_owned()),
        ("when(K > 1 && K < 2, 1, 2)", 12, "two conditions are joined with `and`".to_owned()),
        ("when(!(K > 1), 1, 2)", 6, "a condition is denied with `not`".to_owned()),
        ("when(1 < K < 2, 1, 2)", 12, "comparisons are not chained: join two of them with `and`".to_owned()),
        ("S.spx # 2", 7, "this sign has no meaning".to_owned()),
        ("5% * K", 2, "a percentage is written as a fraction, 0.02 for 2 %".to_owned()),
        ("1e999", 1, "this number is too large".to_owned()),
        ("K.spx", 1, "a dot stands between `S` and the name of an asset alone".to_owned()),
        ("S - K", 1, "there are several assets: write `S.spx` or `S.dax`".to_owned()),
        ("S.spy", 1, "no asset is called `spy`, did you mean `S.spx`?".to_owned()),
        ("spx - K", 1, "the spot of `spx` is written `S.spx`".to_owned()),
        ("average", 1, "`average` is a function and is written average(x) or average(x, monthly)".to_owned()),
        ("monthly + 1", 1, "`monthly` is a schedule, which stands as the last argument of a functional, as in average(S, monthly), or after `on`".to_owned()),
        ("clamp(K, 1)", 1, "`clamp` has 2 arguments here and is written clamp(x, low, high)".to_owned()),
        ("clamp(K, 2, 1)", 10, "the least value 2 is above the greatest, 1".to_owned()),
        ("S.spx > K", 1, "this must be a number, and it is a condition".to_owned()),
        ("(S.spx > K) + 1", 2, "both sides of `+` must be numbers: this must be a number, and it is a condition".to_owned()),
        ("when(K and K > 1, 1, 2)", 6, "both sides of `and` must be conditions: this must be a condition, and it is a number".to_owned()),
        ("when(K, 1, 2)", 6, "the first argument of `when` must be a condition, and it is a number".to_owned()),
        ("when(K > 1, 1, K > 2)", 16, "the last argument of `when` must be as the one before: a number, and it is a condition".to_owned()),
        ("max(K > 1, 2)", 5, "an argument of `max` must be a number, and it is a condition".to_owned()),
        ("highest(S.spx, S.dax)", 16, format!("the second argument of `highest` is a schedule: {schedules}; the greater of two numbers is max(a, b)")),
        ("average(S.spx, expiry)", 16, format!("the second argument of `average` is a schedule: {schedules}")),
        ("average(S.spx, weekly)", 16, "`weekly` is finer than the grid: 52 dates a year, and the contract is hedged 12.0 times a year".to_owned()),
        ("average(S.spx, every)", 16, "`every` takes a number of dates: every(12)".to_owned()),
        ("average(S.spx, monthly(2))", 16, "`monthly` takes no argument".to_owned()),
        ("average(S.spx, fixings(13))", 16, "`fixings(13)` does not fit the grid: the number must be from 1 to 12, the hedging dates of the contract".to_owned()),
        ("average(S.spx, every(1.5))", 22, "`every` takes a whole number from 1, or a parameter that is one on all paths".to_owned()),
        ("previous(S.spx)", 1, "`previous` needs a schedule here, previous(x, monthly): the payment has one date, and the value at the sale is first(x)".to_owned()),
        ("ln(1 - 1)", 1, "this is not a finite number".to_owned()),
        ("Strike", 1, "no parameter is called `Strike`, known are S, years, observation, K".to_owned()),
    ];
    for (text, column, words) in table {
        let refusal = refusal(text);
        let first = refusal.lines().next().unwrap();
        assert_eq!(
            first,
            format!("`contract.payoff`, line 1, column {column}: {words}"),
            "{text}"
        );
    }
}

/// What would take too long or too much is refused with its bound: the text, its depth, its terms.
#[test]
fn everything_is_bounded() {
    let first = |text: &str| refusal(text).lines().next().unwrap().to_owned();
    assert_eq!(
        first(&"1+".repeat(2_100)),
        "`contract.payoff`, line 1, column 1: the text has 4200 bytes, and 4096 are the most"
    );
    let deep = "this is nested more than 100 levels deep, which is the most";
    for text in [
        "(".repeat(200),
        "-".repeat(200),
        "K^".repeat(200) + "K",
        "1+".repeat(200) + "1",
        "abs(".repeat(150),
    ] {
        assert!(first(&text).ends_with(deep), "{text}");
    }
    let many = (0..30)
        .map(|k| format!("S.spx * {k}.5"))
        .collect::<Vec<_>>()
        .join(" + ");
    let payments = (0..40).map(|k| payment("every(1)", None, &format!("({many}) * {k}.25"), false));
    let error = Program::new(
        &sheet(payments),
        &names(&["spx"]),
        Grid::new(12, 1.0 / 12.0, 252.0),
    );
    assert!(error.is_ok(), "equal terms are one");
    let payments = (0..40).map(|k| {
        payment(
            "every(1)",
            None,
            &many.replace(".5", &format!(".{k}7")),
            false,
        )
    });
    let error = Program::new(
        &sheet(payments),
        &names(&["spx"]),
        Grid::new(12, 1.0 / 12.0, 252.0),
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("more than 1000 different terms"),
        "{error}"
    );
    let payments = (0..101).map(|_| payment("expiry", None, "1", false));
    let error = Program::new(
        &sheet(payments),
        &names(&["spx"]),
        Grid::new(12, 1.0 / 12.0, 252.0),
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the contract has 101 payments, and 100 are the most"
    );
}

/// Of a long line the part around the place is shown, and what cannot be seen is a blank.
#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!("{}S.nowhere\u{7}{}", "K + ".repeat(60), " + K".repeat(20));
    let error = Expression::parse("key", text).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines[0],
        "`key`, line 1, column 250: this sign has no meaning"
    );
    assert!(lines[1].chars().count() <= 100 && lines[1].contains("S.nowhere  + K"));
    assert_eq!(
        lines[1].chars().nth(lines[2].chars().count() - 1),
        Some(' ')
    );
}

#[test]
fn parameters_have_names_of_their_own() {
    let refusal = |name: &str| {
        let sheet = Sheet::payoff("k", "1", [(name.to_owned(), 1.0)]).unwrap();
        sheet
            .check_names("contract.parameters")
            .unwrap_err()
            .to_string()
    };
    let own = "has a meaning of its own in expressions: choose another name";
    for name in ["S", "average", "monthly", "expiry", "years"] {
        assert_eq!(refusal(name), format!("`contract.parameters.{name}` {own}"));
    }
    for name in ["2K", "a b", "K ", "", "S.a", "and"] {
        let words = "is no name: a letter and then letters, digits or `_`";
        assert_eq!(
            refusal(name),
            format!("`contract.parameters.{name}` {words}")
        );
    }
    let twice = [("K".to_owned(), 1.0), ("K".to_owned(), 2.0)];
    let sheet = Sheet::payoff("k", "1", twice).unwrap();
    assert_eq!(
        sheet.check_names("p").unwrap_err().to_string(),
        "`p.K` stands twice"
    );
    assert!(payoff("K").unwrap().check_names("p").is_ok());
}
