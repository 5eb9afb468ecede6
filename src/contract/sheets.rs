//! Term sheets that are sold together.

use super::expression::{Grid, Program, Sheet};
use super::{Observed, Spots};
use crate::error::{Error, Result};
use crate::simd::{BLOCK, Lane, Real};
use serde::Serialize;

/// A number of contracts of one sheet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Position {
    /// The number of contracts; below 0 where they are bought.
    pub quantity: f64,
    /// What each of them pays.
    pub sheet: Sheet,
    /// The time from the sale to its expiry, in years, which is at the latest that of the whole.
    pub expiry: f64,
}

/// The positions of a contract on its grid of dates.
///
/// Each has dates of its own up to the hedging date that is nearest to its expiry. What one of them pays, and when it ends,
/// does not depend on the others; all have ended when the last one has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Sheets {
    positions: Vec<Position>,
    /// The names of the assets, in their order.
    assets: Vec<String>,
    /// Days of a year, which say what `daily` means.
    days_per_year: f64,
    #[serde(skip)]
    programs: Vec<Program>,
    #[serde(skip)]
    due: Vec<usize>,
    #[serde(skip)]
    accumulators: Vec<String>,
}

impl Sheets {
    /// The programs of `positions` on a grid of `steps` periods of `dt` years.
    ///
    /// # Errors
    /// Those of [`Program::new`]; [`Error::Input`] for a position that expires before the first hedging date or after the
    /// last.
    pub fn new(
        positions: Vec<Position>,
        assets: Vec<String>,
        days_per_year: f64,
        (steps, dt): (usize, f64),
    ) -> Result<Self> {
        Self::on(positions, assets, days_per_year, (steps, dt), None)
    }

    /// The same for one position, of which paths live for `shortest` periods or more.
    ///
    /// # Errors
    /// Those of [`Program::new`].
    pub fn with_lives(&self, position: Position, shortest: usize) -> Result<Self> {
        let [program] = &self.programs[..] else {
            unreachable!("lives are those of one position")
        };
        let grid = program.grid();
        let (assets, grid) = (self.assets.clone(), (grid.steps, grid.dt));
        Self::on(
            vec![position],
            assets,
            self.days_per_year,
            grid,
            Some(shortest),
        )
    }

    fn on(
        positions: Vec<Position>,
        assets: Vec<String>,
        days_per_year: f64,
        (steps, dt): (usize, f64),
        shortest: Option<usize>,
    ) -> Result<Self> {
        let program = |position: &Position| {
            let own = (position.expiry / dt).round();
            if !(1.0..=steps as f64).contains(&own) {
                let (least, most) = (dt, dt * steps as f64);
                return Err(Error::input(format!(
                    "a position of the contract expires after {:.4} years, and must from {least:.4} to {most:.4}",
                    position.expiry
                )));
            }
            let mut grid = Grid::new(own as usize, dt, days_per_year);
            grid.shortest = shortest.unwrap_or(grid.steps);
            Program::new(&position.sheet, &assets, grid)
        };
        let programs: Vec<Program> = positions.iter().map(program).collect::<Result<_>>()?;
        let mut due: Vec<usize> = programs.iter().flat_map(|one| one.due()).copied().collect();
        due.sort_unstable();
        due.dedup();
        let mut accumulators: Vec<String> = Vec::new();
        for label in programs.iter().flat_map(Program::accumulators) {
            let mut copies = 1;
            let mut name = label.clone();
            // Two positions may write the same of different dates.
            while accumulators.contains(&name) {
                copies += 1;
                name = format!("{label} ({copies})");
            }
            accumulators.push(name);
        }
        Ok(Self {
            positions,
            assets,
            days_per_year,
            programs,
            due,
            accumulators,
        })
    }

    /// The same positions on another grid, which ends `later` years after the one before; a position that expires with the
    /// contract goes on to.
    pub fn living(&self, expiry: (f64, f64), steps: usize) -> Result<Self> {
        let (before, now) = expiry;
        let moved = |position: &Position| Position {
            expiry: if position.expiry == before {
                now
            } else {
                position.expiry.min(now)
            },
            ..position.clone()
        };
        let positions = self.positions.iter().map(moved).collect();
        let grid = (steps, now / steps as f64);
        Self::new(positions, self.assets.clone(), self.days_per_year, grid)
    }

    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    pub fn due(&self) -> &[usize] {
        &self.due
    }

    pub fn can_end(&self) -> bool {
        self.programs.iter().all(Program::can_end)
    }

    pub fn accumulators(&self) -> &[String] {
        &self.accumulators
    }

    /// Writes what one position makes of a block of paths whose parameters and lives are their own; see [`Program::observe`].
    ///
    /// # Errors
    /// That of [`Program::observe`]; everything is written all the same.
    pub fn observe_drawn<R: Real>(
        &self,
        spots: Spots<'_, R>,
        terms: &[Lane<f64>],
        life: &[usize; BLOCK],
        out: Observed<'_, R>,
    ) -> Result<()> {
        let ([position], [program]) = (&self.positions[..], &self.programs[..]) else {
            unreachable!("lives are those of one position")
        };
        let payments = &mut *out.payments;
        let result = program.observe(
            spots,
            terms,
            Some(life),
            Observed {
                payments: &mut *payments,
                ..out
            },
        );
        for paid in payments.iter_mut().flatten() {
            *paid *= R::of(position.quantity);
        }
        result
    }

    /// Writes what the positions make of one block of paths.
    ///
    /// # Errors
    /// That of [`Program::observe`]; everything is written all the same.
    pub fn observe<R: Real>(&self, spots: Spots<'_, R>, out: Observed<'_, R>) -> Result<()> {
        if let ([position], [program]) = (&self.positions[..], &self.programs[..])
            && position.quantity == 1.0
            && out.state.len() == program.accumulators().len() * (program.grid().steps + 1)
        {
            return program.observe(spots, &[], None, out);
        }
        out.payments.fill([R::ZERO; BLOCK]);
        out.end.fill([R::ZERO; BLOCK]);
        let dates = match self.accumulators.len() {
            0 => 0,
            count => out.state.len() / count,
        };
        let mut states = out.state.chunks_mut(dates.max(1));
        let mut result = Ok(());
        for (position, program) in self.positions.iter().zip(&self.programs) {
            let own = program.grid().steps + 1;
            let mut payments = vec![[R::ZERO; BLOCK]; program.due().len()];
            let mut state = vec![[R::ZERO; BLOCK]; program.accumulators().len() * own];
            let mut end = vec![[R::ZERO; BLOCK]; out.end.len()];
            let observed = program.observe(
                spots,
                &[],
                None,
                Observed {
                    payments: &mut payments,
                    end: &mut end,
                    state: &mut state,
                },
            );
            result = result.and(observed);
            for (date, paid) in program.due().iter().zip(&payments) {
                let row = self.due.partition_point(|due| due < date);
                add(&mut out.payments[row], R::of(position.quantity), paid);
            }
            for (ends, own) in out.end.iter_mut().zip(&end) {
                for lane in 0..BLOCK {
                    ends[lane] = ends[lane].greater(own[lane]);
                }
            }
            // After its expiry a position keeps the values that it had.
            for (from, to) in state.chunks(own).zip(&mut states) {
                to[..own].copy_from_slice(from);
                to[own..].fill(from[own - 1]);
            }
        }
        result
    }
}

fn add<R: Real>(total: &mut Lane<R>, quantity: R, paid: &Lane<R>) {
    for lane in 0..BLOCK {
        total[lane] += quantity * paid[lane];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(text: &str, quantity: f64, expiry: f64) -> Position {
        Position {
            quantity,
            sheet: Sheet::payoff("payoff", text, []).unwrap(),
            expiry,
        }
    }

    /// A portfolio pays each of its positions on its date; running values stay after the expiry of theirs.
    #[test]
    fn positions_pay_on_their_own_dates() {
        let positions = vec![
            position("average(S)", 2.0, 0.5),
            position("highest(S)", -1.0, 1.0),
        ];
        let sheets = Sheets::new(positions, vec!["x".into()], 252.0, (4, 0.25)).unwrap();
        assert_eq!(sheets.due(), [2, 4]);
        assert_eq!(sheets.accumulators(), ["average(S)", "highest(S)"]);
        assert!(!sheets.can_end());
        let spots = [100.0, 110.0, 90.0, 120.0, 80.0].map(|spot| [spot; BLOCK]);
        let mut payments = [[0.0_f64; BLOCK]; 2];
        let mut state = [[0.0; BLOCK]; 10];
        let out = Observed {
            payments: &mut payments,
            end: &mut [],
            state: &mut state,
        };
        sheets.observe(Spots::new(&spots, 5, 5), out).unwrap();
        assert_eq!(payments.map(|row| row[7]), [200.0, -120.0]);
        let state = state.map(|row| row[7]);
        assert_eq!(state[..5], [100.0, 110.0, 100.0, 100.0, 100.0]);
        assert_eq!(state[5..], [100.0, 110.0, 110.0, 120.0, 120.0]);
        let longer = sheets.living((1.0, 2.0), 8).unwrap();
        assert_eq!(longer.due(), [2, 8]);
    }
}
