use super::Kernel;
use crate::error::{Error, Fault, Result, excerpt};
use crate::named::named;
use std::sync::OnceLock;

/// The environment variable that says which instruction set [`dispatch`](super::dispatch) uses.
pub const VARIABLE: &str = "DEEPHEDGE_SIMD";

/// The word for the best instruction set of the processor.
const AUTOMATIC: &str = "auto";

named! {
    /// A vector instruction set that kernels are compiled for.
    ///
    /// AVX-512, AVX2 and NEON give the same bits: every operation on lanes is the same one, rounded alike, and sums have the same order. The
    /// two without fused multiply-add round a product before it is added, and differ from these, not from each other.
    pub enum InstructionSet {
        /// AVX-512 (F, VL, DQ, BW): 32 registers of 16 f32, and fused multiply-add.
        Avx512 = "avx512",
        /// AVX2: 16 registers of 8 f32, and fused multiply-add.
        Avx2 = "avx2",
        /// What every x86-64 processor has: 16 registers of 4 f32.
        Sse2 = "sse2",
        /// What every aarch64 processor has: 32 registers of 4 f32, and fused multiply-add.
        Neon = "neon",
        /// What the compiler takes for any other processor.
        Portable = "portable",
    }
}

impl InstructionSet {
    /// Whether this processor has it.
    #[cfg(target_arch = "x86_64")]
    pub fn is_available(self) -> bool {
        match self {
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("fma")
            }
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Sse2 => true,
            Self::Neon | Self::Portable => false,
        }
    }

    /// Whether this processor has it.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_available(self) -> bool {
        match self {
            Self::Avx512 | Self::Avx2 | Self::Sse2 => false,
            Self::Neon => cfg!(target_arch = "aarch64"),
            Self::Portable => cfg!(not(target_arch = "aarch64")),
        }
    }

    /// Those that this processor has, the best one first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::all().filter(|set| set.is_available())
    }

    /// The best one of this processor.
    pub fn best() -> Self {
        let mut available = Self::available();
        available.next().expect("every processor has a baseline")
    }

    /// The one that [`VARIABLE`] asks for; the best one if it is `auto` or not set.
    ///
    /// # Errors
    /// [`Error::Setting`] if it is no name of an instruction set, or of one that this processor has not.
    pub fn from_environment() -> Result<Self> {
        let value = std::env::var_os(VARIABLE);
        Self::asked(
            value
                .as_deref()
                .map(|value| value.to_string_lossy())
                .as_deref(),
        )
    }

    /// The one that a value of [`VARIABLE`] asks for.
    fn asked(value: Option<&str>) -> Result<Self> {
        let Some(value) = value.filter(|value| *value != AUTOMATIC) else {
            return Ok(Self::best());
        };
        let named = Self::named(value).filter(|set| set.is_available());
        named.ok_or_else(|| {
            let names: Vec<&str> = Self::available().map(Self::name).collect();
            let bound = format!(
                "{AUTOMATIC} or one that this processor has ({})",
                names.join(", ")
            );
            let value = excerpt(value);
            Error::setting(VARIABLE, Fault::Bound { bound, value })
        })
    }

    /// The one that [`dispatch`](super::dispatch) uses in this process: that of [`Self::from_environment`] when it is first asked for.
    ///
    /// # Panics
    /// If the environment asks for what there is not. The program refuses that before anything is computed.
    pub fn chosen() -> Self {
        static CHOSEN: OnceLock<InstructionSet> = OnceLock::new();
        *CHOSEN.get_or_init(|| match Self::from_environment() {
            Ok(set) => set,
            Err(error) => panic!("{error}"),
        })
    }

    /// Runs `kernel` with this instruction set.
    ///
    /// # Panics
    /// If the processor does not have it.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        assert!(
            self.is_available(),
            "this processor does not have {}",
            self.name()
        );
        match self {
            // SAFETY: the processor has the features that the callee is compiled for, as was just asserted.
            Self::Avx512 => unsafe { with_avx512(kernel) },
            // SAFETY: as above.
            Self::Avx2 => unsafe { with_avx2(kernel) },
            Self::Neon => kernel.run::<true, 6>(),
            Self::Sse2 | Self::Portable => kernel.run::<false, 4>(),
        }
    }
}

/// # Safety
/// The processor has these features.
#[cfg_attr(
    target_arch = "x86_64",
    target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")
)]
unsafe fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true, 8>()
}

/// # Safety
/// The processor has these features.
#[cfg_attr(target_arch = "x86_64", target_feature(enable = "avx2,fma"))]
unsafe fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true, 6>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every word but `auto` and the names of what this processor has is refused, with what is allowed.
    #[test]
    fn what_the_processor_has_not_is_refused() {
        let available: Vec<_> = InstructionSet::available().collect();
        let names: Vec<_> = available.iter().map(|set| set.name()).collect();
        let lacking = InstructionSet::all().filter(|set| !available.contains(set));
        for word in lacking
            .map(InstructionSet::name)
            .chain(["", "AVX2", "avx3"])
        {
            let error = InstructionSet::asked(Some(word)).expect_err("refused");
            assert_eq!(
                error.to_string(),
                format!(
                    "`DEEPHEDGE_SIMD` must be auto or one that this processor has ({}), was {word}",
                    names.join(", ")
                )
            );
            assert_eq!(error.exit_code(), 2);
        }
        for set in available {
            assert_eq!(InstructionSet::asked(Some(set.name())).ok(), Some(set));
        }
        for automatic in [None, Some("auto")] {
            let asked = InstructionSet::asked(automatic).ok();
            assert_eq!(asked, Some(InstructionSet::best()));
        }
    }
}
