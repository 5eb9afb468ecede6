use super::Stream;
use crate::simd::{BLOCK, Lane, Normal, Real};

/// The shocks of one model in one block: for every path, step and factor 32 bits, and how a normal variate is made of them.
///
/// What draws a block is generic in it, so that the variates of independent shocks are made where they are used.
pub trait Shocks {
    /// Bits 4k to 4k + 3 of every path, counted through the factors of a step and then the steps; k is `number`.
    fn draw(&self, number: usize) -> [Lane<u32>; 4];

    /// Whether [`Self::upper_tail`] takes no work of its own, where [`Self::normal`] is asked too.
    const GIVES_TAILS: bool;

    /// The standard normal variate of a factor that moves with the spot. The bits of a factor on its own ([`Factor::Own`]) are
    /// uniform from any shocks, and not read by this.
    fn normal<R: Real, const FMA: bool>(bits: u32) -> R;

    /// The probability of a variate greater than [`Self::normal`].
    fn upper_tail<R: Real, const FMA: bool>(bits: u32) -> R;
}

/// Shocks that are read more than once.
impl<S: Shocks> Shocks for &S {
    #[inline(always)]
    fn draw(&self, number: usize) -> [Lane<u32>; 4] {
        (**self).draw(number)
    }

    const GIVES_TAILS: bool = S::GIVES_TAILS;

    #[inline(always)]
    fn normal<R: Real, const FMA: bool>(bits: u32) -> R {
        S::normal::<R, FMA>(bits)
    }

    #[inline(always)]
    fn upper_tail<R: Real, const FMA: bool>(bits: u32) -> R {
        S::upper_tail::<R, FMA>(bits)
    }
}

/// What a factor of a model has to do with the Brownian motion W of the model's spot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Factor {
    /// A normal variate whose correlation with the shock of W in a step is this number; over the factors of a model the squares
    /// of these numbers add up to 1.
    Normal(f64),
    /// A variate of its own, such as the number of jumps, independent of everything else.
    Own,
}

/// Independent shocks, as they are drawn.
#[derive(Debug, Clone)]
pub enum Words {
    /// Drawn when asked for; with `antithetic`, the second half of the block mirrors the first.
    Drawn {
        /// The stream that words are drawn from.
        stream: Stream,
        /// The number of the block, which addresses its part of the stream.
        block: u64,
        /// Whether paths 16 to 31 have the shocks of paths 0 to 15 with the opposite sign.
        antithetic: bool,
    },
    /// Made in advance.
    Table(Vec<Lane<u32>>),
}

impl Shocks for Words {
    #[inline(always)]
    fn draw(&self, number: usize) -> [Lane<u32>; 4] {
        match self {
            Self::Drawn {
                stream,
                block,
                antithetic,
            } => {
                let mut words = stream.draw(*block, number as u32);
                if *antithetic {
                    for word in &mut words {
                        for lane in 0..BLOCK / 2 {
                            // The lowest bit is the sign.
                            word[BLOCK / 2 + lane] = word[lane] ^ 1;
                        }
                    }
                }
                words
            }
            Self::Table(rows) => std::array::from_fn(|word| rows[4 * number + word]),
        }
    }

    const GIVES_TAILS: bool = true;

    #[inline(always)]
    fn normal<R: Real, const FMA: bool>(bits: u32) -> R {
        Normal::from_bits::<FMA>(bits).quantile
    }

    #[inline(always)]
    fn upper_tail<R: Real, const FMA: bool>(bits: u32) -> R {
        Normal::from_bits::<FMA>(bits).upper_tail
    }
}
