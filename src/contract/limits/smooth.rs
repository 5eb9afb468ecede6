use crate::simd::{BLOCK, Lane, Real, sigmoid};

/// A clip to [l, h] that is smooth over a width s,
///
/// clip(x) = x + s ln(1 + e^{(l − x)/s}) − s ln(1 + e^{(x − h)/s}):
///
/// it lies between the bounds, is x to the last bit where they are far away, and tends to the hard clip as s → 0.
#[derive(Clone, Copy)]
pub(super) struct SmoothClip<R> {
    low: R,
    high: R,
    width: R,
    inverse: R,
}

impl<R: Real> SmoothClip<R> {
    /// The clip to `low` and `high` over `width`, which is above 0.
    #[inline(always)]
    pub fn new(low: R, high: R, width: f64) -> Self {
        Self {
            low,
            high,
            width: R::of(width),
            inverse: R::of(1.0 / width),
        }
    }

    #[inline(always)]
    pub fn clip<const FMA: bool>(&self, x: R) -> R {
        let below = softplus::<R, FMA>((self.low - x) * self.inverse);
        let above = softplus::<R, FMA>((x - self.high) * self.inverse);
        x + self.width * below - self.width * above
    }

    #[inline(always)]
    pub fn slope<const FMA: bool>(&self, x: R) -> R {
        let below = sigmoid::<R, FMA>((self.low - x) * self.inverse);
        let above = sigmoid::<R, FMA>((x - self.high) * self.inverse);
        R::ONE - below - above
    }
}

/// The share f = (1 + (M/c)^{1/κ})^{−κ} to which positions of the value M are scaled back beside the bound c, and its slope ∂f/∂M.
///
/// f M lies below both M and c, is off from the smaller one by at most the share 1 − 2^{−κ} < κ ln 2 of it, at M = c, and tends to it as
/// κ → 0; where M is small, f is 1 to the last bit.
#[inline(always)]
pub(super) fn share<R: Real, const FMA: bool>(
    load: &Lane<R>,
    bound: f64,
    width: f64,
) -> (Lane<R>, Lane<R>) {
    /// What a value of 0 counts as, so that its logarithm is finite.
    const LEAST: f64 = 1e-30;
    let (mut share, mut slope) = (*load, *load);
    let (inverse_bound, width, inverse) = (R::of(1.0 / bound), R::of(width), R::of(1.0 / width));
    for lane in 0..BLOCK {
        let load = load[lane].greater(R::of(LEAST));
        let exponent = (load * inverse_bound).ln::<FMA>() * inverse;
        let scaled = (-width * softplus::<R, FMA>(exponent)).exp::<FMA>();
        share[lane] = scaled;
        slope[lane] = -scaled * sigmoid::<R, FMA>(exponent) / load;
    }
    (share, slope)
}

/// A staircase whose steps, one a lot L, are smooth over a width w, in lots: with n = ⌊x/L⌋ and u = x/L − n − ½
///
/// q(x) = L (n + ½ + tanh(u/w)/(2 tanh(1/(2w)))).
///
/// It rises everywhere, keeps every multiple of the lot, has the mean slope 1, tends to the nearest multiple as w → 0 and to x as
/// w → ∞.
#[derive(Clone, Copy)]
pub(super) struct Stairs {
    lot: f64,
    width: f64,
    /// 1/(2 tanh(1/(2w))), which makes a step one lot high.
    height: f64,
}

impl Stairs {
    /// Steps of `lot`, smooth over `width` lots, both above 0.
    #[inline(always)]
    pub fn new(lot: f64, width: f64) -> Self {
        Self {
            lot,
            width,
            height: 0.5 / (0.5 / width).tanh(),
        }
    }

    /// n and tanh(u/w).
    #[inline(always)]
    fn step<R: Real, const FMA: bool>(&self, x: R) -> (R, R) {
        let lots = x * R::of(1.0 / self.lot);
        let whole = lots.floor();
        let within = lots - whole - R::HALF;
        (whole, (within * R::of(1.0 / self.width)).tanh::<FMA>())
    }

    /// q of every lane.
    #[inline(always)]
    pub fn climb<R: Real, const FMA: bool>(&self, position: &mut Lane<R>) {
        let (lot, height) = (R::of(self.lot), R::of(self.height));
        for lane in 0..BLOCK {
            let (whole, bent) = self.step::<R, FMA>(position[lane]);
            position[lane] = lot * (whole + R::HALF + height * bent);
        }
    }

    /// Takes derivatives `total` in q(x) back to x.
    #[inline(always)]
    pub fn through<R: Real, const FMA: bool>(&self, x: &Lane<R>, total: &mut Lane<R>) {
        let steepest = R::of(self.height / self.width);
        for lane in 0..BLOCK {
            let (_, bent) = self.step::<R, FMA>(x[lane]);
            total[lane] *= steepest * (R::ONE - bent * bent);
        }
    }
}

/// ln(1 + eˣ), 0 for all x below −`FAR`, −∞ among them.
#[inline(always)]
fn softplus<R: Real, const FMA: bool>(x: R) -> R {
    const FAR: f64 = 40.0;
    let near = x.greater(R::of(-FAR));
    let value = near.greater(R::ZERO) + (R::ONE + (-near.abs()).exp::<FMA>()).ln::<FMA>();
    if x > R::of(-FAR) { value } else { R::ZERO }
}
