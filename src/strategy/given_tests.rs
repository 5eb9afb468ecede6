use crate::market::history::fixture::Scratch;
use crate::market::path_table::tests::spots;
use crate::strategy::Plan;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const PATHS: usize = 640;
const DATES: usize = 6;

/// A text file of paths in a folder of this name, with payoffs, its header and rows as `change` leaves them.
fn file(name: &str, change: impl Fn(&mut Vec<Vec<String>>)) -> (Scratch, PathBuf) {
    let folder = Scratch::new(&format!("given-{name}"));
    let path = folder.0.join("paths.csv");
    let mut header: Vec<String> = (0..DATES).map(|date| format!("spot_{date}")).collect();
    header.push("payoff".into());
    let mut rows = vec![header];
    for spots in spots(PATHS, DATES).chunks_exact(DATES) {
        let mut row: Vec<String> = spots.iter().map(|spot| format!("{spot:?}")).collect();
        row.push(format!("{:?}", (spots[DATES - 1] - 100.0).max(0.0)));
        rows.push(row);
    }
    change(&mut rows);
    let mut text = String::new();
    for row in rows {
        writeln!(text, "{}", row.join(",")).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn text(file: &Path, more: &str) -> String {
    format!(
        "market.model = \"given_paths\"\nmarket.file = \"{}\"\n\
         contract.expiry_days = 5\ncontract.days_per_year = 252\ntraining.validation_paths = 64\nevaluation.paths = 128\n{more}",
        file.display()
    )
}

fn said(file: &Path, more: &str) -> String {
    let error = Plan::parse(&text(file, more), |_| {}).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

const GIVEN: &str = "contract.type = \"given_payoff\"\n";

/// A plan says the hash of its numbers, and reads back as it was written; of a file that has become another it says so, of one that is gone
/// that it is.
#[test]
fn a_plan_knows_its_paths() {
    let (_folder, path) = file("known", |_| {});
    let plan = Plan::parse(&text(&path, GIVEN), |_| {}).unwrap();
    let written = plan.to_toml().unwrap();
    assert!(written.contains("digest = \""), "{written}");
    let again = Plan::parse(&written, |_| {}).unwrap();
    assert_eq!(again.to_toml().unwrap(), written);
    assert_eq!(again.model_premium(), plan.model_premium());
    let changed = std::fs::read_to_string(&path)
        .unwrap()
        .replacen("100.0,", "100.5,", 1);
    std::fs::write(&path, changed.replace("\n100.0,", "\n100.5,")).unwrap();
    let error = Plan::parse(&written, |_| {}).unwrap_err().to_string();
    assert!(error.starts_with("`market.digest` must be "), "{error}");
    assert!(error.contains("it has become another file"), "{error}");
    std::fs::remove_file(&path).unwrap();
    let error = Plan::parse(&written, |_| {}).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let error = error.to_string();
    assert!(
        error.contains("paths.csv") && !error.contains('\n'),
        "{error}"
    );
}

/// What is wrong with a file is said in one line that names it, the row and the column.
#[test]
fn a_file_that_is_wrong_is_refused() {
    type Change = fn(&mut Vec<Vec<String>>);
    let cases: [(&str, Change, &str); 7] = [
        (
            "text",
            |rows| rows[3][2] = "many".into(),
            "column \"spot_2\": must be a number, was \"many\"",
        ),
        (
            "blank",
            |rows| rows[3][2].clear(),
            "column \"spot_2\": must be a number, was",
        ),
        (
            "nan",
            |rows| rows[5][1] = "NaN".into(),
            "column \"spot_1\" must be finite and from",
        ),
        (
            "gap",
            |rows| rows[0][3] = "other".into(),
            "the periods of the given paths, was 5",
        ),
        (
            "none",
            |rows| rows[0][1] = "other".into(),
            "no column spot_1",
        ),
        (
            "variance",
            |rows| rows[0][6] = "variance_0".into(),
            "no column variance_1",
        ),
        (
            "few",
            |rows| rows.truncate(300),
            "299 paths leave 211 for training, 29 for validation",
        ),
    ];
    for (name, change, expected) in cases {
        let (_folder, path) = file(name, change);
        let said = said(&path, "");
        assert!(said.contains(expected), "{name}: {said}");
        assert!(
            !said.contains('\n') && (name == "gap" || said.contains("paths.csv")),
            "{said}"
        );
    }
}

/// What needs a model, a history or more paths than are held out is refused by its key, with the figures.
#[test]
fn what_given_paths_cannot_have_is_refused() {
    let (_folder, path) = file("refused", |_| {});
    for (more, expected) in [
        (
            "evaluation.paths = 129\n",
            "`evaluation.paths` must be at most 128, the paths of 640 that are held out for tests, was 129",
        ),
        (
            "training.validation_paths = 65\n",
            "`training.validation_paths` must be at most 64, the paths of 640 that are held out for validation, was 65",
        ),
        (
            "contract.expiry_days = 6\n",
            "`contract.steps` must be 5, the periods of the given paths, was 6",
        ),
        (
            "market.spot = 99\n",
            "`market.spot` must be 100, where the given paths begin, was 99",
        ),
        (
            "training.sampling = \"sobol\"\n",
            "`training.sampling` has no meaning as \"sobol\" under the model \"given_paths\"",
        ),
        (
            "training.sampling = \"antithetic\"\n",
            "`training.sampling` has no meaning as \"antithetic\"",
        ),
        (
            "training.control_variate = true\n",
            "`training.control_variate` has no meaning as true",
        ),
        (
            "contract.strike = [95, 105]\n",
            "`contract` has no meaning with terms in ranges",
        ),
        (
            "policy.instruments = [\"spot\", { type = \"call\", strike = 100 }]\n",
            "an option needs prices after the sale",
        ),
        (
            "policy.instruments = [\"spot\", \"variance_swap\"]\n",
            "`policy.instruments`",
        ),
        (
            "evaluation.hedges = [\"minimum_variance\"]\n",
            "needs prices after the sale",
        ),
        ("backtest.data = \"prices.csv\"\n", "backtest"),
    ] {
        let key = more.split_once(" =").unwrap().0;
        let base = text(&path, "");
        let kept: Vec<&str> = base.lines().filter(|line| !line.starts_with(key)).collect();
        let error = Plan::parse(&format!("{}\n{more}", kept.join("\n")), |_| {}).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let said = error.to_string();
        assert!(said.contains(expected), "{more}: {said}");
    }
    let said = said(Path::new("no such file"), "");
    assert!(said.contains("no such file"), "{said}");
}

/// A contract of given payoffs needs paths that have them, and is sold alone.
#[test]
fn given_payoffs_need_paths_that_have_them() {
    let none = "`contract.type`: \"given_payoff\" needs paths that say what is paid";
    let gbm = "market = { model = \"gbm\", volatility = 0.2 }\ncontract = { type = \"given_payoff\", expiry_days = 5 }\n";
    let said_of = |text: &str| Plan::parse(text, |_| {}).unwrap_err().to_string();
    assert!(said_of(gbm).starts_with(none), "{}", said_of(gbm));
    let (_folder, path) = file("without", |rows| rows[0][6] = "other".into());
    assert!(said(&path, GIVEN).starts_with(none));
    assert!(Plan::parse(&text(&path, ""), |_| {}).is_ok());
    let legs = gbm.replace(
        "type = \"given_payoff\"",
        "legs = [{ type = \"given_payoff\" }]",
    );
    let said = said_of(&legs);
    assert!(
        said.contains("payoffs that are given are those of a contract alone"),
        "{said}"
    );
}

/// Where several assets are named, none of them has given paths.
#[test]
fn given_paths_are_of_one_asset() {
    let (_folder, path) = file("several", |_| {});
    let text = format!(
        "[market]\ncorrelation = [[1.0, 0.5], [0.5, 1.0]]\n[market.assets.a]\nmodel = \"gbm\"\nvolatility = 0.2\n\
         [market.assets.b]\nmodel = \"given_paths\"\nfile = \"{}\"\n[contract]\nexpiry_days = 5\n",
        path.display()
    );
    let said = Plan::parse(&text, |_| {}).unwrap_err().to_string();
    assert!(
        said.starts_with("`market.assets` has no meaning for several assets"),
        "{said}"
    );
}
