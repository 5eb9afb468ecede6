use super::multiply_add;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// A floating-point number: f32 for training, f64 for checks and for the books.
pub trait Real:
    Copy
    + Send
    + Sync
    + Default
    + PartialOrd
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + 'static
{
    /// The number 0.
    const ZERO: Self;
    /// The number 1.
    const ONE: Self;
    /// The number ½.
    const HALF: Self;

    /// The nearest number of this type.
    fn of(value: f64) -> Self;
    /// The same number as f64.
    fn into_f64(self) -> f64;
    /// `self · b + c`, rounded once.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// The square root; NaN below zero.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// The greatest whole number that is not above it.
    fn floor(self) -> Self;
    /// The smaller of two numbers, without a branch; either of them if one is NaN.
    fn lesser(self, other: Self) -> Self;
    /// The larger of two numbers, without a branch; either of them if one is NaN.
    fn greater(self, other: Self) -> Self;
    /// The exponential eˣ. For f32 the relative error is below 2e-7, and x is clamped to [−87, 88]; for f64 5e-16 and [−708, 709].
    fn exp<const FMA: bool>(self) -> Self;
    /// The hyperbolic tangent. For f32 the absolute error is below 3e-7 with fused multiply-add, otherwise
    /// 4e-7; for f64 below 5e-16.
    ///
    /// `FMA` as in [`super::Kernel::run`].
    fn tanh<const FMA: bool>(self) -> Self;
    /// ln x for positive normal x. For f32 the error is below 2e-7 absolute plus 1.5e-7 relative; for f64 3e-16
    /// each.
    fn ln<const FMA: bool>(self) -> Self;
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const HALF: Self = 0.5;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn into_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        f64::mul_add(self, b, c)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn floor(self) -> Self {
        f64::floor(self)
    }
    #[inline(always)]
    fn lesser(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn exp<const FMA: bool>(self) -> Self {
        let (power, rest) = split_exponential::<FMA>(self.greater(-708.0).lesser(709.0));
        multiply_add::<f64, FMA>(power, rest, power)
    }

    /// E/(E + 2) with E = e²ˣ − 1; beyond the clamp tanh rounds to ±1.
    #[inline(always)]
    fn tanh<const FMA: bool>(self) -> Self {
        let (power, rest) = split_exponential::<FMA>(2.0 * self.greater(-20.0).lesser(20.0));
        let e = multiply_add::<f64, FMA>(power, rest, power - 1.0);
        e / (e + 2.0)
    }

    /// As for f32, with the series up to s²¹: s²³/23 is below 1.2e-19.
    #[inline(always)]
    fn ln<const FMA: bool>(self) -> Self {
        const ROOT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
        let bits = self.to_bits();
        let exponent = (bits.wrapping_sub(ROOT_HALF_BITS) as i64) >> 52;
        let mantissa = f64::from_bits(bits.wrapping_sub((exponent as u64) << 52));
        let s = (mantissa - 1.0) / (mantissa + 1.0);
        let square = s * s;
        let step = multiply_add::<f64, FMA>;
        let mut series = 1.0 / 21.0;
        for odd in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
            series = step(series, square, 1.0 / odd);
        }
        step(exponent as f64, std::f64::consts::LN_2, 2.0 * s * series)
    }
}

/// 2ⁿ and eʳ − 1 with x = n ln 2 + r and |r| ≤ ½ ln 2, for |x| < 710; the Taylor polynomial is of degree 13, whose
/// remainder r¹⁴/14! is below 5e-18.
#[inline(always)]
fn split_exponential<const FMA: bool>(x: f64) -> (f64, f64) {
    // As for f32, with 52 bits of mantissa.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    const HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    let step = multiply_add::<f64, FMA>;
    let shifted = step(x, std::f64::consts::LOG2_E, SHIFT);
    let n = shifted - SHIFT;
    let r = step(n, -LOW, step(n, -HIGH, x));
    const FACTORIALS: [f64; 12] = [
        6_227_020_800.0,
        479_001_600.0,
        39_916_800.0,
        3_628_800.0,
        362_880.0,
        40_320.0,
        5_040.0,
        720.0,
        120.0,
        24.0,
        6.0,
        2.0,
    ];
    let mut series = 0.0;
    for factorial in FACTORIALS {
        series = step(series, r, 1.0 / factorial);
    }
    (
        f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0_f64.to_bits())),
        step(series, r * r, r),
    )
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const HALF: Self = 0.5;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn into_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        f32::mul_add(self, b, c)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn floor(self) -> Self {
        f32::floor(self)
    }
    #[inline(always)]
    fn lesser(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    /// eˣ = 2ⁿ eʳ with |r| ≤ ½ ln 2 and the Taylor polynomial of degree 7, whose remainder
    /// r⁸/8! is below 6e-9.
    #[inline(always)]
    fn exp<const FMA: bool>(self) -> Self {
        // Adding 1.5·2²³ rounds to an integer and leaves it in the low bits of the mantissa.
        const SHIFT: f32 = 12_582_912.0;
        // ln 2 in two parts, the first with enough trailing zeros that n·HIGH is exact.
        const HIGH: f32 = 0.693_359_4;
        const LOW: f32 = -2.121_944_4e-4;
        let x = self.greater(-87.0).lesser(88.0);
        let step = multiply_add::<f32, FMA>;
        let shifted = step(x, std::f32::consts::LOG2_E, SHIFT);
        let n = shifted - SHIFT;
        let r = step(n, -LOW, step(n, -HIGH, x));
        let polynomial = step(r, 1.0 / 5040.0, 1.0 / 720.0);
        let polynomial = step(step(polynomial, r, 1.0 / 120.0), r, 1.0 / 24.0);
        let polynomial = step(step(polynomial, r, 1.0 / 6.0), r, 0.5);
        let polynomial = step(step(polynomial, r, 1.0), r, 1.0);
        let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
        polynomial * power
    }

    /// x P(x²)/Q(x²) with P of degree 6 and Q of degree 3, the coefficients those of Eigen's `ptanh`;
    /// beyond the clamp tanh rounds to ±1.
    #[inline(always)]
    fn tanh<const FMA: bool>(self) -> Self {
        const P: [f32; 7] = [
            4.893_524_6e-3,
            6.372_619_5e-4,
            1.485_722_35e-5,
            5.122_297_3e-8,
            -8.604_672e-11,
            2.000_188e-13,
            -2.760_768_4e-16,
        ];
        const Q: [f32; 4] = [4.893_525e-3, 2.268_434_7e-3, 1.185_347_1e-4, 1.198_258_4e-6];
        let step = multiply_add::<f32, FMA>;
        let x = self.greater(-7.998_811_7).lesser(7.998_811_7);
        let y = x * x;
        let p = step(y, P[6], P[5]);
        let p = step(step(step(y, p, P[4]), y, P[3]), y, P[2]);
        let p = step(step(p, y, P[1]), y, P[0]);
        let q = step(step(step(y, Q[3], Q[2]), y, Q[1]), y, Q[0]);
        x * p / q
    }

    /// ln(2ᵉ m) = e ln 2 + 2 artanh s with s = (m − 1)/(m + 1), m in [√½, √2): the series in s
    /// stops at s⁹ because s¹¹/11 is below 4e-10.
    #[inline(always)]
    fn ln<const FMA: bool>(self) -> Self {
        const ROOT_HALF_BITS: u32 = 0x3f35_04f3;
        let bits = self.to_bits();
        let exponent = (bits.wrapping_sub(ROOT_HALF_BITS) as i32) >> 23;
        let mantissa = f32::from_bits(bits.wrapping_sub((exponent as u32) << 23));
        let s = (mantissa - 1.0) / (mantissa + 1.0);
        let square = s * s;
        let step = multiply_add::<f32, FMA>;
        let series = step(square, 1.0 / 9.0, 1.0 / 7.0);
        let series = step(step(series, square, 1.0 / 5.0), square, 1.0 / 3.0);
        let series = step(series, square, 1.0);
        step(exponent as f32, std::f32::consts::LN_2, 2.0 * s * series)
    }
}
