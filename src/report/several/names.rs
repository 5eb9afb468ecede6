//! Names that tell several runs apart.

/// A, B, C …
pub fn letter(run: usize) -> char {
    char::from(b'A' + (run % 26) as u8)
}

/// A strategy of run number `run`, by a name that tells the runs apart.
pub fn named(strategy: &str, run: usize) -> String {
    format!("{strategy} ({})", letter(run))
}
