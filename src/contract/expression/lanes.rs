//! The operations of the language on one value for each path of a block.
//!
//! What is not a number stays none: maxima, minima and comparisons of it are none either.

use super::node::{Binary, Unary};
use crate::simd::{BLOCK, Lane, Real};

type Values = Lane<f64>;

#[inline(always)]
pub(super) fn map(x: &Values, out: &mut Values, f: impl Fn(f64) -> f64) {
    for lane in 0..BLOCK {
        out[lane] = f(x[lane]);
    }
}

#[inline(always)]
fn map2(x: &Values, y: &Values, out: &mut Values, f: impl Fn(f64, f64) -> f64) {
    for lane in 0..BLOCK {
        out[lane] = f(x[lane], y[lane]);
    }
}

#[inline(always)]
pub(super) fn unary<const FMA: bool>(operation: Unary, x: &Values, out: &mut Values) {
    match operation {
        Unary::Negate => map(x, out, |x| -x),
        Unary::Not => map(x, out, |x| 1.0 - x),
        Unary::Absolute => map(x, out, f64::abs),
        Unary::Root => map(x, out, f64::sqrt),
        Unary::Exponential => {
            map(x, out, Real::exp::<FMA>);
            // Where the vector function stops short of the range of numbers.
            mend(x, out, |x| x.abs() <= 700.0, libm::exp);
        }
        Unary::Logarithm => {
            map(x, out, Real::ln::<FMA>);
            mend(
                x,
                out,
                |x| (f64::MIN_POSITIVE..=f64::MAX).contains(&x),
                libm::log,
            );
        }
    }
}

/// Takes `exact` on the lanes on which the argument is not `fit`.
#[inline(always)]
fn mend(x: &Values, out: &mut Values, fit: impl Fn(f64) -> bool, exact: fn(f64) -> f64) {
    let mut all = true;
    for lane in 0..BLOCK {
        all &= fit(x[lane]);
    }
    if !all {
        for lane in 0..BLOCK {
            if !fit(x[lane]) {
                out[lane] = exact(x[lane]);
            }
        }
    }
}

#[inline(always)]
pub(super) fn binary(operation: Binary, x: &Values, y: &Values, out: &mut Values) {
    match operation {
        Binary::Add => map2(x, y, out, |x, y| x + y),
        Binary::Subtract => map2(x, y, out, |x, y| x - y),
        Binary::Multiply => map2(x, y, out, |x, y| x * y),
        Binary::Divide => map2(x, y, out, |x, y| x / y),
        Binary::Power => {
            for lane in 0..BLOCK {
                out[lane] = libm::pow(x[lane], y[lane]);
            }
        }
        Binary::Max | Binary::Or => map2(x, y, out, greater),
        Binary::Min | Binary::And => map2(x, y, out, lesser),
        Binary::Less => map2(x, y, out, |x, y| compared(x, y, x < y)),
        Binary::LessEqual => map2(x, y, out, |x, y| compared(x, y, x <= y)),
        Binary::Equal => map2(x, y, out, |x, y| compared(x, y, x == y)),
        Binary::NotEqual => map2(x, y, out, |x, y| compared(x, y, x != y)),
    }
}

/// The greater number; none if one is none.
#[inline(always)]
pub(super) fn greater(x: f64, y: f64) -> f64 {
    if x > y || x.is_nan() { x } else { y }
}

/// The lesser number; none if one is none.
#[inline(always)]
pub(super) fn lesser(x: f64, y: f64) -> f64 {
    if x < y || x.is_nan() { x } else { y }
}

#[inline(always)]
fn compared(x: f64, y: f64, holds: bool) -> f64 {
    let value = if holds { 1.0 } else { 0.0 };
    if x.is_nan() || y.is_nan() {
        f64::NAN
    } else {
        value
    }
}

/// y where x holds and z where not; none where x is none.
#[inline(always)]
pub(super) fn chosen(x: f64, y: f64, z: f64) -> f64 {
    let chosen = if x != 0.0 { y } else { z };
    if x.is_nan() { x } else { chosen }
}

/// xⁿ by squares, in the same order for every path.
#[inline(always)]
pub(super) fn whole(x: &Values, n: i32, out: &mut Values) {
    let (mut square, mut left) = (*x, n.unsigned_abs());
    *out = [1.0; BLOCK];
    while left > 0 {
        if left & 1 == 1 {
            for lane in 0..BLOCK {
                out[lane] *= square[lane];
            }
        }
        for lane in 0..BLOCK {
            square[lane] *= square[lane];
        }
        left >>= 1;
    }
    if n < 0 {
        for lane in 0..BLOCK {
            out[lane] = 1.0 / out[lane];
        }
    }
}
