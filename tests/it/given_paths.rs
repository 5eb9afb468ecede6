//! Trainings on paths of a file.

use super::*;
use polars::prelude::{Column, DataFrame, ParquetWriter};

const PATHS: usize = 640;

/// Writes a Parquet file of paths over five periods whose spots go up and down by 1 %, of which path i does by the bits of i and of a multiple of it, and which pay
/// the number of moves up.
fn file(name: &str) -> PathBuf {
    let path = scratch().join(format!("{name}.parquet"));
    let ups = |i: usize| -> Vec<bool> {
        let word = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        (0..5).map(|bit| word >> bit & 1 == 1).collect()
    };
    let spot = |i: usize, date: usize| {
        let moves = ups(i).into_iter().take(date);
        moves.fold(100.0, |spot, up| spot * if up { 1.01 } else { 0.99 })
    };
    let mut columns: Vec<Column> = (0..=5)
        .map(|date| {
            let values: Vec<f64> = (0..PATHS).map(|i| spot(i, date)).collect();
            Column::new(format!("spot_{date}").into(), values)
        })
        .collect();
    let paid = (0..PATHS).map(|i| ups(i).iter().filter(|up| **up).count() as f64);
    columns.push(Column::new("payoff".into(), paid.collect::<Vec<f64>>()));
    let mut table = DataFrame::new(PATHS, columns).unwrap();
    let file = std::fs::File::create(&path).unwrap();
    ParquetWriter::new(file).finish(&mut table).unwrap();
    path
}

fn text(file: &str) -> String {
    format!(
        "seed = 3\nmarket = {{ model = \"given_paths\", file = \"{file}\" }}\n\
         contract = {{ type = \"given_payoff\", expiry_days = 5, days_per_year = 252 }}\n\
         policy.hidden = 4\ntraining = {{ steps = 20, paths = 128, validation_paths = 64 }}\n\
         evaluation = {{ paths = 128, hedges = [\"naked\", \"hedged_monte_carlo\"] }}\n\
         [optimizers.kfac]\ncurvature_paths = 64\n"
    )
}

/// A payoff that is linear in the moves of the spot is hedged by a policy to a small part of its risk, on paths that it was not trained on; one thread and two
/// come to the same figures; without its file the run is refused in one line, with exit code 2.
#[test]
fn policies_are_trained_on_paths_of_a_file() {
    let paths = file("given");
    // A relative path counts from the strategy file.
    let strategy = strategy("given", &text("given.parquet"));
    let one = compare(&strategy, "1");
    let rows = one["evaluation"].as_array().unwrap();
    let of = |name: &str| rows.iter().find(|row| row["strategy"] == name).unwrap();
    let risk = |name: &str| of(name)["risk"].as_f64().unwrap();
    assert_eq!(of("kfac")["paths"], 128);
    assert!(risk("naked") > 1.0, "{}", risk("naked"));
    assert!(risk("kfac") < 0.5 * risk("naked"), "{}", risk("kfac"));
    assert!(risk("hedged_monte_carlo") < 0.2 * risk("naked"));
    let two = compare(&strategy, "2");
    let figures = |document: &serde_json::Value| -> Vec<String> {
        let rows = document["evaluation"].as_array().unwrap().iter();
        rows.map(|row| format!("{} {} {}", row["strategy"], row["risk"], row["pnl_mean"]))
            .collect()
    };
    assert_eq!(figures(&one), figures(&two));

    let runs = strategy.with_extension("runs");
    let run = runs.join(one["run"].as_str().unwrap());
    std::fs::remove_file(paths).unwrap();
    for arguments in [
        &["price", run.to_str().unwrap()][..],
        &["train", strategy.to_str().unwrap()],
    ] {
        let output = deephedge(arguments, "1");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("given.parquet"), "{said}");
    }
}
