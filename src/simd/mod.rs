//! Arithmetic on lanes: one source for f32 and f64, one run-time choice of instruction set.
//!
//! Kernels are plain loops over fixed-size arrays, written as a [`Kernel`] whose `run` is
//! inlined into a function for every [`InstructionSet`]. The compiler turns the loops into vector
//! instructions; there are no intrinsics.

#[cfg(test)]
mod bits_tests;
mod dates;
mod elementary;
mod instruction_set;
mod lanes;
mod outer;
mod product;
mod real;

pub use dates::Dates;
pub use elementary::{Normal, sigmoid, upper_tail};
pub use instruction_set::{InstructionSet, VARIABLE};
pub use lanes::{Lanes, part, set_part};
pub use outer::{add_gram, add_outer};
pub use product::Packed;
pub use real::Real;

/// Paths in a block, the unit of work and of determinism: a block has its own random numbers,
/// is swept by one thread, and its sums are added in block order.
///
/// 32 paths of a 32-unit LSTM over 30 dates take about 0.9 MB and stay in a core's L2 cache.
pub const BLOCK: usize = 32;

/// One value per path of a block.
pub type Lane<R> = [R; BLOCK];

/// Work to be compiled once per instruction set.
pub trait Kernel {
    /// What the work gives.
    type Output;

    /// Does the work.
    ///
    /// `FMA` tells whether fused multiply-add is one instruction (otherwise `mul_add` would
    /// call a library routine); `ROWS` is the number of rows of a matrix product that the registers
    /// hold: 8 of AVX-512, 6 of AVX2 and NEON, 4 of the others.
    ///
    /// Implementations must be `#[inline(always)]`, and so must everything they call that is to be
    /// vectorised.
    fn run<const FMA: bool, const ROWS: usize>(self) -> Self::Output;
}

/// Runs `kernel` with the instruction set of this process, [`InstructionSet::chosen`].
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    InstructionSet::chosen().run(kernel)
}

/// Whether a register holds half as many numbers as of f32.
#[inline(always)]
const fn is_double<R>() -> bool {
    size_of::<R>() > size_of::<f32>()
}

/// `a·b + c`, fused where that is one instruction.
#[inline(always)]
pub fn multiply_add<R: Real, const FMA: bool>(a: R, b: R, c: R) -> R {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}
