//! `runs onnx`. What models come to is held against the program by `tests/onnx/check.py`, which needs Python.

use super::*;

/// A run is exported with the inputs that its policy goes by; the same bytes come again, on any number of threads. The account of the
/// table ends at the run's own P&L: its mean is that of the run, to rounding, over all 2,000 test paths.
#[test]
fn a_run_is_exported_with_what_it_sees_and_holds() {
    let text = SMALL.replace("[policy]", "[policy]\naction = \"band\"");
    let path = strategy("exported", &text);
    let runs = path.with_extension("runs");
    let trained = ["train", path.to_str().unwrap(), "--optimizer", "kfac"];
    let metrics = document(&trained, &runs, "2");
    let file = |name: &str| scratch().join(name).to_str().unwrap().to_owned();
    let (model, table) = (file("exported.onnx"), file("exported.csv"));
    let export = ["runs", "onnx", "latest", "--out", &model];
    let with_table = ["--positions", &table, "--paths", "2000"];
    let said = document(&[&export[..], &with_table].concat(), &runs, "2");
    let inputs = ["spot", "variance", "time_left", "benchmark_spot"];
    let carried = ["h_1", "c_1", "held"];
    let expected: Vec<&str> = inputs.into_iter().chain(carried).collect();
    assert_eq!(said["inputs"], serde_json::json!(expected));
    assert_eq!(
        (&said["optimizer"], &said["seed"]),
        (&"kfac".into(), &3.into())
    );
    let bytes = std::fs::read(&model).unwrap();
    assert_eq!(said["bytes"], bytes.len());
    document(&export, &runs, "1");
    assert!(std::fs::read(&model).unwrap() == bytes);

    let text = std::fs::read_to_string(&table).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|one| *one == name).unwrap();
    let account = ["received", "paid", "gain", "cost", "financing"].map(column);
    let signs = [1.0, -1.0, 1.0, -1.0, 1.0];
    let (mut sum, mut paths) = (0.0, 0.0);
    for cells in lines.map(|line| line.split(',').collect::<Vec<&str>>()) {
        let last = cells[column("date")] == "10";
        assert_eq!(cells[column("position_spot")].is_empty(), last);
        if last {
            let terms = account.iter().zip(signs);
            let terms = terms.map(|(at, sign)| sign * cells[*at].parse::<f64>().unwrap());
            sum += terms.sum::<f64>();
            paths += 1.0;
        }
    }
    let rows = metrics["evaluation"].as_array().unwrap();
    let row = rows.iter().find(|row| row["strategy"] == "kfac").unwrap();
    assert_eq!(row["paths"].as_f64(), Some(paths));
    let mean = row["pnl_mean"].as_f64().unwrap();
    assert!((mean - sum / paths).abs() < 1e-9, "{mean} {}", sum / paths);

    let root = runs.to_str().unwrap();
    let refused = [
        (
            ["--optimizer", "adamw"],
            "--optimizer: must be one of kfac, was \"adamw\"",
        ),
        (["--seed", "4"], "--seed: must be one of 3, was 4"),
        (["--positions", "table.txt"], "must end in .csv or .parquet"),
    ];
    let never = file("never.onnx");
    for (option, words) in refused {
        let export = ["runs", "onnx", "latest", "--runs", root, "--out", &never];
        let output = deephedge(&[&export[..], &option].concat(), "1");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1));
        assert!(error.contains(words), "{error}");
        assert!(!Path::new(&never).exists());
    }
}
