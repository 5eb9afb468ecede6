//! Where files lie that strategies name, and where files may be written.

use super::*;
use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};

fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_deephedge"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Paths in a strategy count from its file, from whatever directory the program is started; the run holds absolute ones,
/// so that it goes on and is tested again from anywhere.
#[test]
fn paths_in_a_strategy_count_from_its_file() {
    let root = scratch().join("places");
    for folder in ["strategies", "data", "elsewhere"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::copy(HISTORY, root.join("data/index.csv")).unwrap();
    let text = format!("{SMALL}[backtest]\ndata = \"../data/index.csv\"\nstart = \"2010-01-01\"\n");
    fs::write(root.join("strategies/s.toml"), &text).unwrap();
    let elsewhere = root.join("elsewhere");
    let document = |folder: &Path, arguments: &[&str]| -> serde_json::Value {
        let output = run_in(folder, &[arguments, &["--json"]].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let begun = document(
        &elsewhere,
        &["compare", "../strategies/s.toml", "--runs", "../runs"],
    );
    let run = begun["run"].as_str().unwrap();
    let strategy = fs::read_to_string(root.join("runs").join(run).join("strategy.toml")).unwrap();
    let data = root.join("data/index.csv");
    assert!(
        strategy.contains(&format!("data = \"{}\"", data.display())),
        "{strategy}"
    );
    let again = document(
        Path::new("/"),
        &[
            "backtest",
            root.join("runs").join(run).to_str().unwrap(),
            "--runs",
            root.join("runs").to_str().unwrap(),
        ],
    );
    assert_eq!(again["backtest"], begun["backtest"]);
    // The page names the file and not the folders of this machine.
    assert_eq!(again["backtest_market"]["data"], "index.csv");
    // The run's strategy is a strategy file, too, and lies elsewhere.
    let resolved = root.join("runs").join(run).join("strategy.toml");
    let resolved = document(
        &elsewhere,
        &["backtest", resolved.to_str().unwrap(), "--runs", "../runs"],
    );
    let classical = |document: &serde_json::Value| -> Vec<serde_json::Value> {
        let rows = document["backtest"].as_array().unwrap();
        rows.iter()
            .filter(|row| row["seed"].is_null())
            .cloned()
            .collect()
    };
    assert_eq!(classical(&resolved), classical(&begun));
    // Files on the command line count from the working directory.
    let given = [
        "backtest",
        "../strategies/s.toml",
        "--data",
        "../data/index.csv",
        "--runs",
        "../runs",
    ];
    let given = document(&elsewhere, &given);
    assert_eq!(classical(&given), classical(&begun));
    let run = given["run"].as_str().unwrap();
    let strategy = fs::read_to_string(root.join("runs").join(run).join("strategy.toml")).unwrap();
    assert!(
        strategy.contains(&format!("data = \"{}\"", data.display())),
        "{strategy}"
    );
    // What is not there is named, with the folder that the path counts from.
    fs::rename(&data, root.join("data/moved.csv")).unwrap();
    let output = run_in(
        &elsewhere,
        &["backtest", "../strategies/s.toml", "--runs", "../runs"],
    );
    assert_eq!(output.status.code(), Some(2));
    let expected = format!(
        "deephedge: {}: no such file; relative paths in `backtest.data` count from {}\n",
        data.display(),
        root.join("strategies").display()
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

/// Every shipped strategy with a backtest finds its history, from any directory.
#[test]
fn shipped_strategies_find_their_history() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("strategies");
    let mut tried = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = if path.is_file() {
            fs::read_to_string(&path).unwrap()
        } else {
            String::new()
        };
        if !text.contains("[backtest]") {
            continue;
        }
        tried += 1;
        let runs = scratch().join("shipped");
        let arguments = [
            "backtest",
            path.to_str().unwrap(),
            "--start",
            "2018-01-01",
            "--runs",
        ];
        let output = run_in(
            Path::new("/"),
            &[&arguments[..], &[runs.to_str().unwrap()]].concat(),
        );
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", path.display());
    }
    assert!(tried >= 3, "{tried}");
}

/// Every file that users name is a regular file, new or replaced, or a link to one; everything else is refused and stays.
#[test]
fn outputs_replace_regular_files_alone() {
    let root = scratch().join("outputs");
    fs::create_dir_all(root.join("folder.md")).unwrap();
    let path = strategy("outputs", &SMALL.replace("steps = 14", "steps = 2"));
    let walk = strategy(
        "outputs-walk",
        &(SMALL.replace("steps = 14", "steps = 1")
            + &format!(
                "[backtest]\ndata = '{HISTORY}'\nstart = \"2016-01-01\"\nspacing = \"monthly\"\n\
                 [walk_forward]\nmonths = 60\n"
            )),
    );
    let runs = path.with_extension("runs");
    let run = compare(&path, "2")["run"].as_str().unwrap().to_owned();
    let results = root.join("results.json");
    let fifo = root.join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let (file, walk) = (path.to_str().unwrap(), walk.to_str().unwrap());
    let made = |out: &Path| {
        let out = out.to_str().unwrap().to_owned();
        let named = |arguments: &[&str]| -> Vec<String> {
            let arguments = arguments.iter().map(|text| (*text).to_owned());
            arguments.chain([out.clone()]).collect()
        };
        [
            named(&["runs", "export", &run, "--out"]),
            named(&["simulate", file, "--paths", "10", "--out"]),
            named(&["report", &run, "--html"]),
            named(&["report", results.to_str().unwrap(), "--markdown"]),
            named(&["backtest", walk, "--walk-forward", "--page"]),
        ]
    };
    let tried = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // Options of `simulate` have no folder of runs.
        let root = ["--runs", runs.to_str().unwrap()];
        let root = if arguments[0] == "simulate" {
            &root[..0]
        } else {
            &root[..]
        };
        deephedge(&[&arguments[..], root].concat(), "1")
    };
    assert!(tried(&made(&results)[0]).status.success());
    let link = root.join("link.md");
    symlink("/dev/null", root.join("null.md")).unwrap();
    for (out, what) in [
        (Path::new("/dev/null").to_owned(), "a device"),
        (root.join("null.md"), "a device"),
        (fifo.clone(), "a FIFO"),
        (root.join("folder.md"), "a folder"),
    ] {
        for arguments in made(&out) {
            let output = tried(&arguments);
            let message = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
            assert!(message.contains(what), "{arguments:?}: {message}");
        }
    }
    assert!(
        fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
    assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());
    for (number, arguments) in made(&link).iter().enumerate() {
        let target = root.join(format!("target-{number}"));
        fs::write(&target, "old").unwrap();
        let _ = fs::remove_file(&link);
        symlink(&target, &link).unwrap();
        let output = tried(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        assert!(
            fs::symlink_metadata(&link).unwrap().is_symlink(),
            "{arguments:?}"
        );
        assert!(fs::read(&target).unwrap().len() > 100, "{arguments:?}");
    }
}
