use super::{BANDS, Functionals, HELD, OF_ASSET};
use crate::market::PathBlock;
use crate::simd::{BLOCK, Kernel, Lane, Real};

/// What is kept of a block while its functionals are written.
pub(super) struct Room<R> {
    /// ln(S_t/K) of the asset at hand, `[steps + 1]`.
    pub(super) moneyness: Vec<Lane<R>>,
    /// N′ at every date of every asset, `[assets][steps]`.
    pub(super) deltas: Vec<Lane<R>>,
    /// The positions of the hedges with bands, `[BANDS][steps][instruments]`.
    pub(super) positions: Vec<Lane<R>>,
}

impl<R: Real> Room<R> {
    pub(super) fn new(functionals: &Functionals, steps: usize) -> Self {
        let rows = |count: usize| vec![[R::ZERO; BLOCK]; count];
        Self {
            moneyness: rows(steps + 1),
            deltas: rows(functionals.scales.len() * steps),
            positions: rows(BANDS * functionals.instruments.len() * steps),
        }
    }
}

/// [`Functionals::write`]
pub(super) struct Write<'a, R> {
    pub(super) functionals: &'a Functionals,
    pub(super) block: &'a PathBlock<'a, R>,
    pub(super) room: Room<R>,
    pub(super) out: &'a mut [Lane<R>],
}

/// The largest number that a functional is, so that sums of products stay finite.
const LARGEST: f64 = 1e4;

/// `sum += a b`
#[inline(always)]
pub(super) fn add<R: Real>(sum: &mut Lane<R>, a: &Lane<R>, b: &Lane<R>) {
    for lane in 0..BLOCK {
        sum[lane] += a[lane] * b[lane];
    }
}

impl<R: Real> Kernel for Write<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            functionals,
            block,
            mut room,
            out,
        } = self;
        let zero = [R::ZERO; BLOCK];
        let (first, mut rest) = out.split_at_mut(2);
        let payments = functionals.payments(block);
        first[0] = [R::ONE; BLOCK];
        first[1] = functionals.in_units(&payments);
        let mut next = |count: usize| {
            let (now, later) = std::mem::take(&mut rest).split_at_mut(count);
            rest = later;
            now.fill(zero);
            now
        };
        if let Some(sale) = &functionals.sale {
            let row = &mut next(1)[0];
            for (lane, premium) in row.iter_mut().enumerate() {
                *premium = R::of(sale.at_expiry(sale.premium(block, lane)));
            }
            *row = functionals.in_units(row);
        }
        let paths = next(functionals.scales.len() * OF_ASSET);
        let gains = next(functionals.instruments.len() * HELD);
        for (asset, rows) in paths.chunks_exact_mut(OF_ASSET).enumerate() {
            for (t, row) in room.moneyness.iter_mut().enumerate() {
                *row = functionals.log_moneyness::<R, FMA>(block, asset, t, None);
            }
            functionals.of_hedges::<R, FMA>(block, asset, &mut room, gains);
            functionals.of_path(block, asset, &room, rows);
        }
        for (row, strike) in next(functionals.strikes.len())
            .iter_mut()
            .zip(&functionals.strikes)
        {
            for t in 0..block.steps() {
                let delta = functionals.delta::<R, FMA>(block, 0, t, Some(*strike));
                add(row, &delta, &functionals.gain(block, 0, t));
            }
            *row = functionals.in_units(row);
        }
        for accumulator in 0..functionals.state.len() {
            let rows = next(1 + 2 * functionals.spots().count());
            functionals.of_state(block, accumulator, &room.deltas, rows);
        }
        let terms = next(functionals.terms.len());
        if let Some(drawn) = block.drawn() {
            for ((row, standard), value) in
                terms.iter_mut().zip(&functionals.terms).zip(drawn.values)
            {
                let (mean, share) = (R::of(standard.mean), R::of(1.0 / standard.deviation));
                for lane in 0..BLOCK {
                    row[lane] = (value[lane] - mean) * share;
                }
            }
        }
        let size = block.steps() * functionals.instruments.len();
        let bands = room.positions.chunks_exact(size);
        let benchmark = functionals.hedged.then(|| block.benchmark_positions());
        for positions in bands.chain(benchmark) {
            functionals.settled(block, (positions, &payments), next(2));
        }
        if functionals.answered {
            for (instrument, asset) in functionals.spots() {
                let row = &mut next(1)[0];
                let deltas = block.benchmark().delta(asset);
                for t in 0..block.steps() {
                    add(row, &deltas[t], &functionals.gain(block, instrument, t));
                }
                *row = functionals.in_units(row);
            }
        }
        debug_assert!(next(0).is_empty() && rest.is_empty(), "no row is left");
        let (low, high) = (R::of(-LARGEST), R::of(LARGEST));
        for value in out.as_flattened_mut() {
            *value = value.greater(low).lesser(high);
        }
    }
}
