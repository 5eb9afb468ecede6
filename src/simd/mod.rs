//! Arithmetic on lanes: one source for f32 and f64, one run-time choice of instruction set.
//!
//! Kernels are plain loops over fixed-size arrays, written as a [`Kernel`] whose `run` is
//! inlined into a function compiled for the best instruction set the processor has. The
//! compiler turns the loops into vector instructions; there are no intrinsics.

mod dates;
mod elementary;
mod lanes;
mod product;
mod real;

pub use dates::Dates;
pub use elementary::{Normal, sigmoid, upper_tail};
pub use lanes::Lanes;
pub use product::{Packed, add_gram, add_outer};
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
    /// hold: 8 with 32 registers, 4 with 16.
    ///
    /// Implementations must be `#[inline(always)]`, and so must everything they call that is to be
    /// vectorised.
    fn run<const FMA: bool, const ROWS: usize>(self) -> Self::Output;
}

/// Runs `kernel` with the best instruction set of this processor.
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("fma")
        {
            // SAFETY: the features that the callee is compiled for were detected just above.
            return unsafe { with_avx512(kernel) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the features that the callee is compiled for were detected just above.
            return unsafe { with_avx2(kernel) };
        }
        kernel.run::<false, 4>()
    }
    // Fused multiply-add is part of the aarch64 baseline.
    #[cfg(target_arch = "aarch64")]
    {
        kernel.run::<true, 4>()
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        kernel.run::<false, 4>()
    }
}

/// The instruction set that [`dispatch`] uses here.
pub fn instruction_set() -> &'static str {
    struct Name;
    impl Kernel for Name {
        type Output = &'static str;
        #[inline(always)]
        fn run<const FMA: bool, const ROWS: usize>(self) -> &'static str {
            match (FMA, ROWS) {
                (true, 8) => "AVX-512",
                (true, _) if cfg!(target_arch = "aarch64") => "NEON",
                (true, _) => "AVX2 and FMA",
                (false, _) => "baseline",
            }
        }
    }
    dispatch(Name)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true, 8>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true, 4>()
}

/// `a·b + c`, fused where that is one instruction.
#[inline(always)]
pub fn multiply_add<R: Real, const FMA: bool>(a: R, b: R, c: R) -> R {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}
