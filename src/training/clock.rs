use crate::strategy::Clock;
use cpu_time::ProcessTime;
use std::time::{Duration, Instant};

/// When a step began, by the clock of its strategy.
pub enum Start {
    Wall(Instant),
    Cpu(ProcessTime),
}

impl Start {
    /// The moment at hand, by `clock`.
    pub fn now(clock: Clock) -> Self {
        match clock {
            Clock::Wall => Self::Wall(Instant::now()),
            Clock::Cpu => Self::Cpu(ProcessTime::now()),
        }
    }

    /// The time since then, by the same clock.
    pub fn elapsed(&self) -> Duration {
        match self {
            Self::Wall(start) => start.elapsed(),
            Self::Cpu(start) => start.elapsed(),
        }
    }
}
