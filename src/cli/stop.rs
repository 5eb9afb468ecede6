//! When a computation is asked to stop.

use crate::error::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the process was asked to stop, by a signal or by the end of its standard input.
#[derive(Debug, Clone)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From now on SIGINT and SIGTERM are heeded at the next step; a second one ends the process at once.
    ///
    /// # Errors
    /// If the signals cannot be had.
    pub fn on_signals() -> Result<Self> {
        const KILLED_BY_SIGNAL: i32 = 128;
        let stop = Self(Arc::default());
        for signal in [SIGINT, SIGTERM] {
            // The first registered action runs first: only a stop that is already asked for ends the process.
            let at_once = Arc::clone(&stop.0);
            flag::register_conditional_shutdown(signal, KILLED_BY_SIGNAL + signal, at_once)
                .and_then(|_| flag::register(signal, Arc::clone(&stop.0)))
                .map_err(|error| Error::Computation(format!("signals: {error}")))?;
        }
        Ok(stop)
    }

    /// Also when standard input ends, as it does when the process at its other end does.
    pub fn on_end_of_input(&self) {
        let stop = Arc::clone(&self.0);
        std::thread::spawn(move || {
            let mut input = std::io::stdin().lock();
            let mut ignored = [0; 64];
            while matches!(input.read(&mut ignored), Ok(1..)) {}
            stop.store(true, Ordering::Relaxed);
        });
    }

    /// Whether the process may go on.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the process was asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Error::Stopped("stopped".into()));
        }
        Ok(())
    }
}
