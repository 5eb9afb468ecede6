use super::*;
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// A file of weekdays from 2015 on, in a layout that needs every option.
fn odd_layout(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join("export.txt");
    let first = chrono::NaiveDate::from_ymd_opt(2015, 1, 1).unwrap();
    let mut text = String::from("Exported by a vendor\n\nDay;Level\n");
    let weekdays = first.iter_days().filter(|day| {
        use chrono::Datelike;
        day.weekday().number_from_monday() < 6
    });
    for (n, day) in weekdays.take(400).enumerate() {
        let close = 30_000.0 + 500.0 * (n as f64 * 0.7).sin();
        let close = close.round() as u64;
        let _ = writeln!(
            text,
            "{};{}.{:03}",
            day.format("%d.%m.%y"),
            close / 1000,
            close % 1000
        );
    }
    std::fs::write(&path, text).unwrap();
    path
}

/// The same options mean the same for all that read prices, and a run states them.
#[test]
fn every_command_reads_with_the_same_options() {
    let path = strategy("price_files", SMALL);
    let file = odd_layout(&path.with_extension("data"));
    let file = file.to_str().unwrap();
    let reading = [
        "--columns",
        "date=Day,close=Level",
        "--date-format",
        "%d.%m.%y",
        "--decimal",
        "comma",
    ];
    let run = |before: &[&str], after: &[&str]| {
        let arguments = [before, &[file], after].concat();
        let output = deephedge(&arguments, "1");
        let message = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), message)
    };
    for command in [&["data", "check"][..], &["calibrate", "gbm", "--history"]] {
        let (code, message) = run(command, &[]);
        assert_eq!((code, message.lines().count()), (Some(2), 1), "{message}");
        assert!(message.contains("--columns date=NAME"), "{message}");
        assert_eq!(run(command, &reading), (Some(0), String::new()));
    }
    let runs = path.with_extension("runs");
    let arguments = [
        &[
            "backtest",
            path.to_str().unwrap(),
            "--data",
            file,
            "--start",
            "2016-06-01",
        ],
        &reading[..],
    ]
    .concat();
    let result = document(&arguments, &runs, "1");
    let saved = runs
        .join(result["run"].as_str().unwrap())
        .join("strategy.toml");
    let saved: toml::Table = std::fs::read_to_string(saved).unwrap().parse().unwrap();
    let backtest = &saved["backtest"];
    assert_eq!(backtest["columns"]["close"].as_str(), Some("Level"));
    assert_eq!(backtest["date_format"].as_str(), Some("%d.%m.%y"));
    assert_eq!(backtest["decimal"].as_str(), Some("comma"));
}

/// A name that is not Unicode is shown as well as it can be.
#[test]
fn names_of_files_need_not_be_unicode() {
    let folder = strategy("names", SMALL).with_extension("data");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(OsStr::from_bytes(b"caf\xe9.csv"));
    std::fs::write(
        &file,
        "date,close\n2020-01-02,1\n2020-01-03,x\n2020-01-06,1\n",
    )
    .unwrap();
    for json in [&[][..], &["--json"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_deephedge"))
            .args(["data", "check"])
            .arg(&file)
            .args(json)
            .output()
            .unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(
            message.ends_with("caf\u{fffd}.csv: 1 defect\n"),
            "{message}"
        );
        assert!(!output.stdout.is_empty());
    }
}

/// What polars panics at says nothing of it: one line, exit code 2.
#[test]
fn damaged_parquet_ends_with_one_line() {
    let path = strategy("damaged", SMALL);
    let folder = path.with_extension("data");
    std::fs::create_dir_all(&folder).unwrap();
    let sound = folder.join("paths.parquet");
    let arguments = ["simulate", path.to_str().unwrap(), "--paths", "32", "--out"];
    let arguments = [&arguments[..], &[sound.to_str().unwrap()]].concat();
    assert!(deephedge(&arguments, "1").status.success());
    let bytes = std::fs::read(&sound).unwrap();
    let damaged = folder.join("damaged.parquet");
    let columns = ["--columns", "date=path,close=spot"];
    for at in (4..bytes.len()).step_by(bytes.len() / 40) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x5a;
        std::fs::write(&damaged, bytes).unwrap();
        let arguments = [&["data", "check", damaged.to_str().unwrap()], &columns[..]].concat();
        let output = deephedge(&arguments, "1");
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{at}: {message}");
        assert_eq!(message.lines().count(), 1, "{at}: {message}");
    }
}
