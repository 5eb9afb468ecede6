//! Pseudo-random choices, and the damage that any file can take.

/// SplitMix64, whose state is the seed and the number of the case.
///
/// # References
/// Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators", figure 17.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, subject: u64, number: u64) -> Self {
        let mut random = Self(seed);
        for part in [subject, number] {
            random.0 = random.next() ^ part;
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is above 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// One of them, of which there is at least one.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Whether an event of this chance, in per cent, happens.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Numbers at the edges of types and of good sense.
pub const EXTREMES: [&str; 22] = [
    "0",
    "-0.0",
    "1",
    "-1",
    "1e-300",
    "-1e-300",
    "5e-324",
    "1e-20",
    "1e-8",
    "0.999999999",
    "1.0000001",
    "7",
    "50",
    "1e6",
    "1e20",
    "1e300",
    "-1e300",
    "nan",
    "inf",
    "-inf",
    "9223372036854775807",
    "-9223372036854775808",
];

/// Changes bytes anywhere: flips, removals, repetitions, an end too early.
pub fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(8) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        let length = (1 + random.below(16)).min(bytes.len() - at);
        match random.below(6) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = *random.one(&[0, 9, 10, 13, 34, 39, 44, 59, 0x80, 0xff]),
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let again = bytes[at..at + length].to_vec();
                bytes.splice(at..at, again);
            }
            _ if random.chance(20) => bytes.truncate(at),
            _ => bytes.swap(at, 0),
        }
    }
}
