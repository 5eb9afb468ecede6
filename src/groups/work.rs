use super::Keeper;
use crate::error::Result;
use crate::runs::store::RunFolder;

/// Pieces of work that do not depend on each other, numbered from 0, the same on all ranks.
pub trait Work {
    /// The number of pieces.
    fn pieces(&self) -> usize;

    /// Whether the run has a piece already; asked on rank 0 alone.
    ///
    /// # Errors
    /// If that cannot be known.
    fn is_done(&self, piece: usize, folder: &RunFolder) -> Result<bool>;

    /// The files of the run that a piece may begin with; those that are there are given to the group that does it.
    fn needs(&self, piece: usize) -> Vec<String>;

    /// Does a piece, on every rank of the group of `keeper`. What comes out is the same on all of them.
    ///
    /// # Errors
    /// Those of the piece, and of the keeper.
    fn carry_out(&self, piece: usize, keeper: &mut dyn Keeper) -> Result<Vec<u8>>;

    /// A piece is done and has come to `result`; called on rank 0 alone, in the order in which pieces are done.
    ///
    /// # Errors
    /// If the result cannot be kept.
    fn ended(&self, _piece: usize, _result: &[u8], _folder: &RunFolder) -> Result<()> {
        Ok(())
    }
}
