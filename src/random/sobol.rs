use crate::random::Stream;
use crate::simd::{BLOCK, Lane};
use sobol_burley::NUM_DIMENSIONS;
use sobol_burley::parts::{hash, owen_scramble_int4_rev, sobol_int4_rev};

/// Points of one Sobol sequence before another scramble begins.
const POINTS: u64 = 1 << 16;

/// Owen-scrambled Sobol points as 32-bit fractions.
///
/// Point number i of the whole is point i mod 2¹⁶ of scramble ⌊i/2¹⁶⌋; every run of 2^k points that begins at a
/// multiple of 2^k is a net. Dimensions beyond the table's 256 are pseudorandom.
///
/// # References
/// Owen (1995), "Randomly permuted (t, m, s)-nets and (t, s)-sequences"; Burley (2020), "Practical hash-based Owen
/// scrambling"; direction numbers of Joe and Kuo (2008).
#[derive(Debug, Clone, Copy)]
pub(super) struct Sobol {
    padding: Stream,
}

impl Sobol {
    /// The points whose scrambling and whose dimensions beyond the table come from `padding`.
    pub fn new(padding: Stream) -> Self {
        Self { padding }
    }

    /// The fractions of all paths of block number `block`, one row for each of `dimensions`.
    pub fn fractions(&self, block: u64, dimensions: usize) -> Vec<Lane<u32>> {
        let mut rows = vec![[0; BLOCK]; dimensions.next_multiple_of(4)];
        let first = block * BLOCK as u64;
        let scramble = (first / POINTS) as u32;
        for (set, rows) in rows.chunks_exact_mut(4).enumerate() {
            let set = set as u32;
            if 4 * set + 4 > NUM_DIMENSIONS {
                rows.copy_from_slice(&self.padding.draw(block, set));
                continue;
            }
            let scrambles = [0, 1, 2, 3].map(|dimension| {
                hash(
                    hash(self.padding.key(0) ^ (4 * set + dimension))
                        ^ self.padding.key(1)
                        ^ hash(scramble),
                )
            });
            for lane in 0..BLOCK {
                // A block never straddles two scrambles: POINTS is a multiple of BLOCK.
                let index = (first % POINTS) as u32 + lane as u32;
                let points = sobol_int4_rev(index.reverse_bits(), set);
                let scrambled = owen_scramble_int4_rev(points, scrambles.into()).reverse_bits();
                for (row, fraction) in rows.iter_mut().zip(<[u32; 4]>::from(scrambled)) {
                    row[lane] = fraction;
                }
            }
        }
        rows.truncate(dimensions);
        rows
    }
}
