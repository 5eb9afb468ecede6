//! Standard streams that are closed, full, or that no one reads.
#![cfg(unix)]

use super::*;
use std::process::Stdio;

/// Exit code, standard output and standard error of the binary in a shell that redirects its streams.
fn redirected(arguments: &str, redirection: &str) -> (Option<i32>, String, String) {
    let command = format!("exec \"$0\" {arguments} {redirection}");
    let output = Command::new("sh")
        .args(["-c", &command, env!("CARGO_BIN_EXE_deephedge")])
        .current_dir(scratch())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// No stream that cannot be written to changes what the program does; only a result that is lost is an error.
#[test]
fn streams_may_be_closed_or_full() {
    let text = SMALL.replace("steps = 14", "steps = 2");
    let path = strategy("streams", &text);
    let file = path.to_str().unwrap();
    let compare = format!("compare {file} --runs streams.runs");
    let serve = "serve --runs streams.runs --bind 256.0.0.1:0";
    for (arguments, redirection, code) in [
        ("runs list --json", "2>&-", 0),
        ("runs list --json", ">&-", 0),
        ("runs list --json", ">&- 2>&-", 0),
        ("runs list --json", "2>/dev/full", 0),
        ("runs list --json", ">/dev/full", 1),
        ("runs list --json", ">/dev/full 2>/dev/full", 1),
        ("runs show none", "2>&-", 2),
        ("runs show none", "2>/dev/full", 2),
        ("--help", ">&-", 0),
        ("--help", ">/dev/full", 1),
        ("--version", ">/dev/full", 1),
        ("--no-such-option", "2>/dev/full", 2),
        (serve, "2>/dev/full", 2),
        (compare.as_str(), "2>/dev/full", 0),
        (compare.as_str(), "2>&-", 0),
        (compare.as_str(), ">/dev/full", 1),
    ] {
        let (found, _, errors) = redirected(arguments, redirection);
        assert_eq!(found, Some(code), "{arguments} {redirection}: {errors}");
    }
    let (_, _, errors) = redirected("runs list", ">/dev/full");
    assert!(
        errors.starts_with("deephedge: standard output: "),
        "{errors}"
    );
    assert_eq!(errors.lines().count(), 1);
    // What was computed is there although its tables were lost.
    let listed = document(&["runs", "list"], &scratch().join("streams.runs"), "1");
    let listed = listed["runs"].as_array().unwrap();
    assert!(listed.len() == 3 && listed.iter().all(|run| run["state"] == "complete"));
}

/// A reader that has gone away ends the program quietly.
#[test]
fn a_reader_may_go_away() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_deephedge"))
        .args(["compare", "--help"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

/// What an argument holds is shown in an excerpt, wherever it is refused.
#[test]
fn arguments_are_shown_in_excerpts() {
    let long = "\u{1b}[2J".to_owned() + &"x".repeat(10_000);
    let text = SMALL.replace("steps = 14", "steps = 2");
    let path = strategy("excerpts", &text);
    let file = path.to_str().unwrap();
    let option = format!("--{long}");
    for arguments in [
        vec![long.as_str()],
        vec![&option],
        vec!["compare", file, &option],
        vec!["compare", file, "--steps", &long],
        vec!["compare", file, "--budget", &long],
        vec!["compare", file, "--optimizers", &long],
        vec!["train", file, "--optimizer", &long],
        vec!["calibrate", &long, "--history", HISTORY],
        vec!["serve", "--bind", &long],
        vec!["runs", "show", &long],
        vec!["runs", "delete", &long],
        vec!["backtest", &long],
        vec!["backtest", file, "--data", HISTORY, "--repair", &long],
        vec!["compare", "--resume", &long],
    ] {
        let output = deephedge(&arguments, "1");
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(&"x".repeat(70)), "{message}");
        assert!(message.len() < 1000, "{} bytes", message.len());
        assert!(!message.contains('\u{1b}'), "{message}");
    }
    // In a strategy file: as a key, a section, a value of each kind, and in text that is no TOML.
    for (from, to) in [
        ("kappa", &format!("\"{long}\"")),
        ("[costs]", &format!("[\"{long}\"]\n[costs]")),
        ("kappa = 1.5", &format!("kappa = \"{long}\"")),
        ("[optimizers.adam]", &format!("[optimizers.\"{long}\"]")),
        (
            "[optimizers.adam]",
            &format!("[optimizers.adam]\nmethod = \"{long}\""),
        ),
        (
            "[optimizers.adam]",
            &format!("[optimizers.adam]\nlearning_rate = \"{long}\""),
        ),
        (
            "[optimizers.adam]",
            &format!("[optimizers.adam]\n\"{long}\" = 1"),
        ),
        (
            "[costs]",
            &format!("[markets.\"{long}\"]\nspot = 1\n[costs]"),
        ),
        ("[policy]", &format!("[policy]\nfeatures = [\"{long}\"]")),
        (
            "[policy]",
            &format!("[policy]\ninstruments = [\"spot\", \"{long}\"]"),
        ),
        (
            "[policy]",
            &format!("[policy]\ninstruments = [\"spot\", {{ type = \"{long}\" }}]"),
        ),
        ("[contract]", &format!("[contract]\nstrike = \"{long}\"")),
        (
            "[contract]",
            &format!("[contract]\nstrike = {{ \"{long}\" = 1 }}"),
        ),
        (
            "[evaluation]",
            &format!("[evaluation]\nhedges = [\"{long}\"]"),
        ),
        ("[contract]", &format!("[contract\n{long}")),
    ] {
        let (to, escaped) = (to.as_str(), long.replace('\u{1b}', "\\u001b"));
        let text = SMALL.replacen(from, &to.replace(&long, &escaped), 1);
        let path = strategy("excerpts-strategy", &text);
        let output = deephedge(
            &["cross", path.to_str().unwrap(), "--runs", "/proc/none"],
            "1",
        );
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{from}: {message}");
        assert_eq!(message.lines().count(), 1, "{from}: {message}");
        assert!(message.len() < 1000, "{from}: {} bytes", message.len());
        assert!(!message.contains('\u{1b}'), "{from}: {message}");
    }
}
