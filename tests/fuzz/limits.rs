//! A process under limits, and what its end must look like.

use serde_json::Value;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// What a process may take.
pub struct Limits {
    /// Bytes of address space.
    memory: u64,
    /// Seconds of one processor; twice as many of wall time, in case it waits.
    seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 2 << 30,
            seconds: 20,
        }
    }
}

/// How a process ended.
pub struct Ended {
    status: ExitStatus,
    output: Vec<u8>,
    errors: Vec<u8>,
}

impl Limits {
    /// Runs the binary in `folder` with one thread.
    pub fn run(&self, binary: &Path, folder: &Path, arguments: &[String]) -> Ended {
        let output = Command::new("timeout")
            .args(["--signal=KILL", &(2 * self.seconds).to_string(), "prlimit"])
            .arg(format!("--as={}", self.memory))
            .arg(format!("--cpu={}", self.seconds))
            .arg(binary)
            .args(arguments)
            .current_dir(folder)
            .env("RAYON_NUM_THREADS", "1")
            .stdin(Stdio::null())
            .output()
            .expect("timeout (coreutils) and prlimit (util-linux) are there");
        Ended {
            status: output.status,
            output: output.stdout,
            errors: output.stderr,
        }
    }
}

impl Ended {
    /// The exit code, or why this is no end that a user should see.
    pub fn judge(&self) -> Result<i32, String> {
        let errors = String::from_utf8_lossy(&self.errors);
        let excerpt: String = errors.chars().take(300).collect();
        let code = match (self.status.code(), self.status.signal()) {
            (Some(code @ (0 | 2)), _) => code,
            // `timeout` says 137 when it had to kill.
            (Some(137 | 152), _) | (_, Some(9 | 24)) => {
                return Err(format!("took too long: {excerpt}"));
            }
            (code, signal) => {
                return Err(format!("exit code {code:?}, signal {signal:?}: {excerpt}"));
            }
        };
        let plain = |c: char| !c.is_control() || c == '\n';
        if code == 2 {
            let own: Vec<&str> = errors.lines().collect();
            if !matches!(own[..], [line] if line.starts_with("deephedge: ")) {
                return Err(format!("not one line: {excerpt}"));
            }
        }
        if errors.len() > 1000 || !errors.chars().all(plain) {
            return Err(format!("{} bytes, or not plain: {excerpt}", errors.len()));
        }
        if self.output.is_empty() {
            return if code == 2 {
                Ok(2)
            } else {
                Err("nothing was printed".into())
            };
        }
        // A number that is not finite has no form in JSON.
        let document: Value = serde_json::from_slice(&self.output)
            .map_err(|error| format!("standard output is no JSON: {error}"))?;
        match not_finite(&document, "") {
            Some(place) => Err(format!("{place} is not a finite number")),
            None => Ok(code),
        }
    }
}

/// Where the document says null in a place that has a number: what is printed of a NaN.
fn not_finite(value: &Value, at: &str) -> Option<String> {
    /// Absent for some strategies, undefined for some distributions, or a difference of such.
    const OPTIONAL: [&str; 12] = [
        "seed",
        "steps",
        "seconds",
        "against_adam",
        "backtest_market",
        "estimated_from",
        "estimated_to",
        "first",
        "low",
        "high",
        "last",
        "longest_gap",
    ];
    let undefined = |key: &str| {
        OPTIONAL.contains(&key)
            || key.contains("sharpe")
            || key.contains("drawdown")
            || key.contains("change")
            || key.contains("skewness")
            || key.contains("kurtosis")
            || key.contains("standard_error")
            // Of a single contract.
            || ["pnl_std", "pnl_variance", "delta_std"].contains(&key)
            || key.contains("difference")
    };
    match value {
        Value::Object(entries) => entries.iter().find_map(|(key, value)| {
            let place = format!("{at}.{key}");
            match value {
                _ if undefined(key) => None,
                value => not_finite(value, &place),
            }
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| not_finite(item, &format!("{at}[{index}]"))),
        Value::Null => Some(at.to_owned()),
        _ => None,
    }
}
