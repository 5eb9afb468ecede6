use super::tests::{Scratch, reading};
use super::*;

const HEADER: &str = "date,close,rate,level,slope,moneyness,smile,smirk\n";

/// The row of a day of January 2010 whose surface is flat but for its level.
fn row(day: u32, close: f64, level: f64) -> String {
    format!("2010-01-{day:02},{close},0.01,{level},0,0,0,0\n")
}

/// Three days.
fn plain() -> String {
    let rows = [row(4, 100.0, 0.2), row(5, 101.0, 0.21), row(6, 99.0, 0.25)];
    format!("{HEADER}{}", rows.concat())
}

fn load(file: &Scratch) -> Result<History> {
    History::load_surfaces(&file.0, &Reading::default(), false)
}

/// The refusal of a file of surfaces, without the path before it.
fn refusal(name: &str, text: &str) -> String {
    let file = Scratch::csv(name, text);
    let message = load(&file).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    let path = format!("{}: ", file.0.display());
    message.strip_prefix(&path).expect(&message).to_string()
}

/// A file is read with its columns in any order, with or without closes and rates, and days keep their surfaces when others are left
/// out.
#[test]
fn factors_closes_and_rates_are_read() {
    let file = Scratch::csv("surfaces-read", &plain());
    let mut history = load(&file).unwrap();
    assert_eq!(history.close, [100.0, 101.0, 99.0]);
    assert_eq!(history.rate, [0.01; 3]);
    let levels = |history: &History| -> Vec<f64> {
        history
            .surface
            .iter()
            .map(|surface| surface.level)
            .collect()
    };
    assert_eq!(levels(&history), [0.2, 0.21, 0.25]);
    assert_eq!(history.surface[1].one_month(), 0.21);
    let dropped = history.dates[1];
    history.retain(|date| date != dropped);
    assert_eq!(levels(&history), [0.2, 0.25]);
    assert_eq!(history.rate.len(), 2);

    let bare = "smirk,smile,moneyness,slope,level,date\n5e-1,-4,.3,2e-2,0.1,2010-01-04\n1,2,3,-0.04,5e-1,2010-01-05\n";
    let history = load(&Scratch::csv("surfaces-bare", bare)).unwrap();
    assert!(history.close.is_empty() && history.rate.is_empty());
    assert_eq!(history.surface[0].to_array(), [0.1, 0.02, 0.3, -4.0, 0.5]);
    assert_eq!(history.surface[1].to_array(), [0.5, -0.04, 3.0, 2.0, 1.0]);
}

/// Every error names the column, the row, the value and the bound.
#[test]
fn errors_name_column_row_value_and_bound() {
    let text = plain();
    let without = text.replace("smile,", "").replace(",0,0,0,0", ",0,0,0");
    assert_eq!(
        refusal("surfaces-missing", &without),
        "no smile column, found date, close, rate, level, slope, moneyness, smirk; --columns smile=NAME names it"
    );
    let one = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        refusal("surfaces-one", &changed)
    };
    for (from, to, expected) in [
        (
            "0.21,0,0,0,0",
            "0.21,0,NaN,0,0",
            "row 2, column \"moneyness\": moneyness must be finite, was NaN (--repair blanks)",
        ),
        (
            "0.21,0,0,0,0",
            "0.21,0,,0,0",
            "row 2, column \"moneyness\": moneyness is blank (--repair blanks)",
        ),
        (
            "0.21,0,0,0,0",
            "0.21,0,0,inf,0",
            "row 2, column \"smile\": smile must be finite, was inf (--repair prices)",
        ),
        (
            "0.21,0,0,0,0",
            "0.21,x,0,0,0",
            "row 2, column \"slope\": slope must be a number, was \"x\" (--repair blanks)",
        ),
        (
            "101,0.01",
            "-101,0.01",
            "row 2, column \"close\": price must be finite and above 0, was -101 (--repair prices)",
        ),
        (
            "101,0.01",
            "101,5.2",
            "row 2, column \"rate\": rate must be a fraction a year, above -1 and below 1, was 5.2 (--repair prices)",
        ),
        (
            "2010-01-05",
            "2010-01-04",
            "row 2, column \"date\": date 2010-01-04 repeats that of row 1 (--repair duplicates)",
        ),
        (
            "2010-01-05",
            "2010-01-03",
            "row 2, column \"date\": dates must ascend, 2010-01-03 follows 2010-01-04 (--repair order)",
        ),
        (
            "0.21,0,0,0,0",
            "0.21,-0.5,0,0,0",
            "row 2, column \"level\": one-month volatility at the money must be above 0 and at most 3, was -0.0707 \
             (--repair surfaces)",
        ),
        (
            "0.21,0,0,0,0",
            "21,0,0,0,0",
            "row 2, column \"level\": one-month volatility at the money must be above 0 and at most 3, was 21.0000: \
             factors are fractions, 0.2 for 20 % (--repair surfaces)",
        ),
    ] {
        assert_eq!(one(from, to), expected, "{from} -> {to}");
    }
    // A day without a plausible surface is left out where that is asked for.
    let file = Scratch::csv("surfaces-repaired", &text.replace("0.21,0,", "21,0,"));
    let history = History::load_surfaces(&file.0, &reading(&["surfaces"]), false).unwrap();
    assert_eq!(history.close, [100.0, 99.0]);
    assert_eq!(history.surface.len(), 2);
    assert_eq!(history.repaired, [(defects::Kind::Surfaces, 1)]);
}

/// Closes of another file are joined by date; what one file lacks and where closes disagree is told, and closes of another asset are
/// refused.
#[test]
fn closes_are_joined_by_date() {
    let surfaces = || {
        let days = (4..16).filter(|day| ![9, 10].contains(day));
        let rows: String = days
            .map(|day| row(day, 100.0 + f64::from(day), 0.2))
            .collect();
        format!("{HEADER}{rows}")
    };
    let closes = |wrong: u32| {
        let days = (5..20).filter(|day| ![9, 10, 16, 17].contains(day));
        let rows = days.map(|day| {
            let off = if day < 5 + wrong { 1.0 } else { 0.0 };
            format!("2010-01-{day:02},{}\n", 100.0 + f64::from(day) + off)
        });
        format!("date,close\n{}", rows.collect::<String>())
    };
    let join = |wrong: u32| {
        let file = Scratch::csv("surfaces-join", &surfaces());
        let data = Scratch::csv("surfaces-join-data", &closes(wrong));
        let joined = History::load(&data.0)?.with_surfaces(load(&file)?);
        let names = [&data.0, &file.0].map(|path| path.display().to_string());
        joined.map(|history| {
            let short = |text: &String| {
                let text = text.replace(&names[0], "DATA");
                text.replace(&names[1], "SURFACE")
            };
            let warnings: Vec<String> = history.warnings.iter().map(short).collect();
            (history, warnings)
        })
    };
    let (history, warnings) = join(0).unwrap();
    assert_eq!((history.len(), history.surface.len()), (9, 9));
    assert_eq!(
        warnings[..2],
        [
            "2 of 11 days of DATA are left out, which SURFACE has not",
            "1 of 10 days of SURFACE are left out, which DATA has not",
        ]
    );
    let error = join(1).unwrap_err().to_string();
    assert!(
        error.contains("closes of 1 of 9 days differ from those of ")
            && error.ends_with(
                "by more than 0.1 %, first 2010-01-05: 105 against 106; is it of another asset?"
            ),
        "{error}"
    );
}
