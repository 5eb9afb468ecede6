use crate::simd::{BLOCK, Lane};

/// What random numbers are for. Two purposes never share numbers under one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Shocks of the paths that a policy is trained on.
    Training = 1,
    /// Shocks of the paths on which a training is watched.
    Validation = 2,
    /// Shocks of the test paths.
    Evaluation = 3,
    /// The weights that a training begins with.
    InitialWeights = 4,
    /// Shocks of the paths that a price is simulated on.
    Pricing = 5,
    /// Shocks of the paths that `simulate` writes.
    Export = 6,
    /// The candidates of a search for settings.
    Tuning = 7,
    /// The draws of a bootstrap.
    Bootstrap = 8,
    /// The paths that give a strategy's unit of money.
    Unit = 9,
    /// Shocks of the paths that a model's price is simulated on.
    Valuation = 11,
    /// Shocks of the paths that an exercise rule is fitted on.
    Exercise = 12,
    /// The contracts that are sold on history, where they have terms of their own.
    Sales = 13,
    /// Which paths of a pool a training step takes.
    Screening = 14,
    /// Which paths of a training step are swept back.
    Thinning = 15,
    /// Shocks of the paths that hedged Monte Carlo is fitted on.
    Regression = 10,
}

/// The counter-based generator Philox 4×32 with 10 rounds, evaluated for a block of paths at once.
///
/// A draw is four words of 32 bits for one path; the counter is (path, draw), the key is
/// (seed, purpose).
///
/// # References
/// Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3".
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    key: [u32; 2],
}

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

impl Stream {
    /// The stream of one purpose under one seed; any other pair of the two gives an unrelated stream.
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        // SplitMix64's finaliser keeps neighbouring seeds and purposes apart.
        let mut key = seed ^ (purpose as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        key = (key ^ (key >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        key = (key ^ (key >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        key ^= key >> 31;
        Self {
            key: [key as u32, (key >> 32) as u32],
        }
    }

    /// Word `index` of the key.
    pub(super) fn key(&self, index: usize) -> u32 {
        self.key[index]
    }

    /// The four words of draw number `draw` for every path of block number `block`.
    #[inline(always)]
    pub fn draw(&self, block: u64, draw: u32) -> [Lane<u32>; 4] {
        let first = block * BLOCK as u64;
        let mut words = [[0_u32; BLOCK]; 4];
        for lane in 0..BLOCK {
            // BLOCK is a power of two: the low word cannot overflow within a block.
            let low = first as u32 + lane as u32;
            let drawn = self.rounds([low, (first >> 32) as u32, draw, 0]);
            for word in 0..4 {
                words[word][lane] = drawn[word];
            }
        }
        words
    }

    /// The ten rounds of Philox 4×32 on the counter of one lane.
    ///
    /// Words are kept in 64 bits whose upper half has no meaning: a vector product of 32 × 32 bits reads lower halves and gives
    /// 64 bits, so that nothing is moved between lanes from the first round to the last.
    #[inline(always)]
    fn rounds(&self, counter: [u32; 4]) -> [u32; 4] {
        const LOWER: u64 = u32::MAX as u64;
        let mut key = self.key;
        let mut words = counter.map(u64::from);
        for _ in 0..10 {
            let left = u64::from(MULTIPLIERS[0]) * (words[0] & LOWER);
            let right = u64::from(MULTIPLIERS[1]) * (words[2] & LOWER);
            words = [
                (right >> 32) ^ words[1] ^ u64::from(key[0]),
                right,
                (left >> 32) ^ words[3] ^ u64::from(key[1]),
                left,
            ];
            key[0] = key[0].wrapping_add(WEYL[0]);
            key[1] = key[1].wrapping_add(WEYL[1]);
        }
        words.map(|word| word as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The three known answers for ten rounds of Philox 4×32 in `kat_vectors` of Random123: zeros, ones, and digits of π. A
    /// draw has the path in the first two words of the counter, the draw in the third, and zero in the last.
    #[test]
    fn known_answers_of_random123() {
        const ONES: u32 = u32::MAX;
        for (counter, key, answer) in [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [ONES; 4],
                [ONES; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ] {
            assert_eq!(Stream { key }.rounds(counter), answer);
        }
        let stream = Stream::new(7, Purpose::Training);
        let (block, draw) = ((1 << 30) + 5, 9);
        let words = stream.draw(block, draw);
        for lane in 0..BLOCK {
            let path = block * BLOCK as u64 + lane as u64;
            let counter = [path as u32, (path >> 32) as u32, draw, 0];
            assert_eq!(words.map(|word| word[lane]), stream.rounds(counter));
        }
    }

    #[test]
    fn purposes_seeds_blocks_and_draws_differ() {
        let base = Stream::new(1, Purpose::Training).draw(0, 0);
        for other in [
            Stream::new(2, Purpose::Training).draw(0, 0),
            Stream::new(1, Purpose::Evaluation).draw(0, 0),
            Stream::new(1, Purpose::Training).draw(1, 0),
            Stream::new(1, Purpose::Training).draw(0, 1),
        ] {
            assert_ne!(base, other);
        }
    }
}
