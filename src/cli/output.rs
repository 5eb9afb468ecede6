//! What the program says, and where: results on standard output, all else on standard error.

use std::io::Write;

/// A result for people and for programs; a null document if everything has been said.
pub struct Output {
    /// For people.
    pub text: String,
    /// For programs.
    pub document: serde_json::Value,
}

/// Prints a result for those who read it. The exit code of the program, as of the other functions here.
pub fn report(output: &Output, json: bool) -> u8 {
    match (output.document.is_null(), json) {
        (true, _) => 0,
        (false, true) => print(&output.document.to_string()),
        (false, false) => print(&output.text),
    }
}

/// The columns that tables are laid out for: those of the terminal that standard output is, or else what the environment's
/// COLUMNS says, or else 80; within the bounds of what can be read.
pub fn width() -> usize {
    const USUAL: usize = 80;
    const READABLE: std::ops::RangeInclusive<usize> = 40..=160;
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    let columns = match terminal {
        Some((terminal_size::Width(columns), _)) => Some(usize::from(columns)),
        None => std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.trim().parse().ok()),
    };
    columns
        .unwrap_or(USUAL)
        .clamp(*READABLE.start(), *READABLE.end())
}

/// Says on standard error what the result must not be used without knowing.
pub fn warn(warning: &str) {
    note(&format!("deephedge: warning: {warning}"));
}

/// Says a line on standard error. If that is closed or full, there is no one to tell.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints the result.
pub fn print(output: &str) -> u8 {
    let mut out = std::io::stdout();
    ended(writeln!(out, "{output}").and_then(|()| out.flush()))
}

/// How the program ends once it has printed; a reader that has gone away is not an error.
pub fn ended(printed: std::io::Result<()>) -> u8 {
    match printed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            note(&format!("deephedge: standard output: {error}"));
            1
        }
        Ok(()) | Err(_) => 0,
    }
}
