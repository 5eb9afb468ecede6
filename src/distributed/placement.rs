use super::{Portable, Ranks};
use crate::error::{Error, Result};
use rayon::prelude::*;

/// Ranks in a grid, over which independent pieces of work are placed, such as the inverses of the maps of a network.
///
/// Of W ranks every piece has m holders, which have what was made of it, and of these one owner, which makes it. Rank r stands in
/// row ⌊r/C⌋ and column r mod C of a grid of m rows and C = W/m columns. The holders of a piece are a column; every row has one
/// rank of each column, and so a holder of every piece.
///
/// With m = W (a fraction of 1) everything is sent to all when it is made, and nothing when it is used: least communication where
/// it is used often. With m = 1 nothing that is made is sent, what comes of its use is sent to all each time, and every rank holds
/// 1/W of what is made: least memory. Results do not depend on m.
///
/// # References
/// Pauloski, Huang, Huang, Venkataraman, Chard, Foster and Zhang (2021), "KAISA: an adaptive second-order optimizer framework for
/// deep neural networks", section 3.
#[derive(Debug, Clone)]
pub struct Workers {
    ranks: Ranks,
    /// The holders of the pieces that this rank holds, in the order of rows.
    column: Ranks,
    /// One rank of every column, in their order.
    row: Ranks,
}

impl Workers {
    /// One process alone.
    pub fn alone() -> Self {
        Self::new(&Ranks::alone(), 1.0)
    }

    /// A grid of all ranks in which every piece has so large a `fraction` of them as holders, in (0, 1]: m is the largest divisor
    /// of their number W that is not above fraction · W, and at least 1.
    pub fn new(ranks: &Ranks, fraction: f64) -> Self {
        let size = ranks.size();
        let is_within =
            |&rows: &usize| size.is_multiple_of(rows) && rows as f64 <= fraction * size as f64;
        let rows = (1..=size).rev().find(is_within).unwrap_or(1);
        let (row, column) = ranks.grid(size / rows);
        Self {
            ranks: ranks.clone(),
            column,
            row,
        }
    }

    /// The owner of each piece: the costliest first, each goes to the rank that has least to do so far, and among equals to
    /// the first.
    fn owners(&self, costs: &[f64]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..costs.len()).collect();
        order.sort_by(|&a, &b| costs[b].total_cmp(&costs[a]));
        let mut loads = vec![0.0_f64; self.ranks.size()];
        let mut owners = vec![0; costs.len()];
        for piece in order {
            let least = (0..loads.len()).min_by(|&a, &b| loads[a].total_cmp(&loads[b]));
            owners[piece] = least.expect("there is a rank");
            loads[owners[piece]] += costs[piece];
        }
        owners
    }

    /// What `make` gives for every piece, held by its holders alone. `costs` are relative, one for each piece.
    ///
    /// # Errors
    /// That of the first piece for which `make` fails, on all ranks.
    pub fn place<T: Portable + Send>(
        &self,
        costs: &[f64],
        make: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Placed<T>> {
        let owners = self.owners(costs);
        let is_own = |&piece: &usize| owners[piece] == self.ranks.rank();
        let own: Vec<usize> = (0..costs.len()).filter(is_own).collect();
        let made: Vec<Result<T>> = own.par_iter().map(|&piece| make(piece)).collect();
        let mut held: Vec<Option<T>> = costs.iter().map(|_| None).collect();
        let mut failed = Vec::new();
        for (&piece, made) in own.iter().zip(made) {
            match made {
                Ok(made) => held[piece] = Some(made),
                Err(error) if self.ranks.is_alone() => return Err(error),
                Err(error) => failed.push((piece, error.to_string())),
            }
        }
        // A rank that went its own way would leave the others waiting.
        if let Some((_, error)) = self.ranks.in_order(failed).into_iter().min() {
            return Err(Error::Computation(error));
        }
        let columns = self.row.size();
        for (held, owner) in held.iter_mut().zip(&owners) {
            if owner % columns == self.row.rank() {
                *held = self.column.broadcast(owner / columns, held.take());
            }
        }
        Ok(Placed {
            workers: self.clone(),
            owners,
            held,
        })
    }
}

/// What was made of every piece of work, as far as this rank holds it.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    workers: Workers,
    owners: Vec<usize>,
    held: Vec<Option<T>>,
}

impl<T> Placed<T> {
    /// The number of pieces.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether there is no piece.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What is made of a piece, if this rank holds it.
    pub fn held(&self, piece: usize) -> Option<&T> {
        self.held[piece].as_ref()
    }

    /// What `of` gives for every piece and what was made of it, on all ranks.
    pub fn map<U: Portable + Send>(&self, of: impl Fn(usize, &T) -> U + Sync) -> Vec<U>
    where
        T: Sync,
    {
        let held = self.held.par_iter().enumerate();
        let own: Vec<U> = held
            .filter_map(|(piece, held)| Some(of(piece, held.as_ref()?)))
            .collect();
        let row = &self.workers.row;
        if row.is_alone() {
            return own;
        }
        let parts = row.gather(&own.to_bytes());
        let parts = parts.iter().map(|part| Vec::from_bytes(part).into_iter());
        let mut parts: Vec<_> = parts.collect();
        let of_column = |owner: &usize| parts[owner % row.size()].next();
        let all = self.owners.iter().map(of_column);
        all.collect::<Option<_>>()
            .expect("every row has a holder of every piece")
    }
}
