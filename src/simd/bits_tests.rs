//! The bits of every operation on every instruction set.

use super::*;

/// Numbers in [−1, 1) from a linear congruential generator: the same on every machine.
fn lanes<R: Real>(count: usize, mut state: u32) -> Vec<Lane<R>> {
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        R::of(f64::from(state as i32) / 2_147_483_648.0)
    };
    (0..count)
        .map(|_| std::array::from_fn(|_| number()))
        .collect()
}

/// Elementary functions, and both products with sizes that leave parts of every tile over.
struct Everything<R>(std::marker::PhantomData<R>);

const ROWS_AND_COLUMNS: (usize, usize) = (61, 41);
const DATES: usize = 5;

impl<R: Real> Kernel for Everything<R> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) -> Vec<f64> {
        let (rows, columns) = ROWS_AND_COLUMNS;
        let mut results = Vec::new();
        for lane in lanes::<R>(64, 1) {
            let mut values = [[R::ZERO; BLOCK]; 7];
            for i in 0..BLOCK {
                let x = R::of(8.0) * lane[i];
                let bits = (lane[i].into_f64() * 2_147_483_648.0) as i64 as u32;
                let normal = Normal::<R>::from_bits::<FMA>(bits);
                values[0][i] = x.exp::<FMA>();
                values[1][i] = x.tanh::<FMA>();
                values[2][i] = sigmoid::<R, FMA>(x);
                values[3][i] = x.abs().greater(R::of(1e-6)).ln::<FMA>();
                values[4][i] = upper_tail::<R, FMA>(x);
                values[5][i] = normal.quantile;
                values[6][i] = normal.upper_tail;
            }
            results.extend(values.as_flattened().iter().map(|value| value.into_f64()));
        }
        let entry = |row: usize, column: usize| ((7 * row + 13 * column) % 19) as f64 / 19.0 - 0.5;
        let packed = Packed::<R>::new(rows, columns, entry);
        let (left, right) = (lanes::<R>(DATES * rows, 2), lanes::<R>(DATES * columns, 3));
        let mut out = vec![[R::ZERO; BLOCK]; rows];
        packed.multiply::<FMA, ROWS>(0, &right[..columns], &mut out);
        results.extend(out.as_flattened().iter().map(|value| value.into_f64()));
        packed.multiply::<FMA, ROWS>(5, &right[5..columns], &mut out);
        results.extend(out.as_flattened().iter().map(|value| value.into_f64()));
        let mut total = vec![0.0; rows * columns];
        add_outer::<R, FMA, ROWS>(
            0..DATES,
            |t| &left[t * rows..][..rows],
            |t| &right[t * columns..][..columns],
            &mut total,
        );
        results.append(&mut total);
        let mut total = vec![0.0; rows * rows];
        add_gram::<R, FMA, ROWS>(0..DATES, |t| &left[t * rows..][..rows], &mut total);
        for (row, total) in total.chunks_exact(rows).enumerate() {
            results.extend(&total[..=row]);
        }
        results
    }
}

fn everything<R: Real>(set: InstructionSet) -> Vec<f64> {
    set.run(Everything::<R>(std::marker::PhantomData))
}

/// One number that any change of a bit changes: the 64-bit hash of Fowler, Noll and Vo (FNV-1a), of numbers instead of bytes.
fn hash(numbers: &[f64]) -> u64 {
    numbers.iter().fold(0xcbf2_9ce4_8422_2325, |hash, number| {
        (hash ^ number.to_bits()).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Machines give the same bits where their instruction sets fuse multiply-add, and other ones where they do not. That cannot be seen on one
/// machine alone: the hashes were taken on one with AVX-512, and NEON's were the same in an emulator.
#[test]
fn every_machine_gives_these_bits() {
    for set in InstructionSet::available() {
        let expected = match set {
            InstructionSet::Avx512 | InstructionSet::Avx2 | InstructionSet::Neon => {
                [0xa54c_4692_ba59_4145, 0x45a0_74aa_611b_fb1f]
            }
            InstructionSet::Sse2 | InstructionSet::Portable => {
                [0x2017_9d91_3a59_4145, 0xb051_d214_0d8a_715e]
            }
        };
        let found = [everything::<f32>(set), everything::<f64>(set)].map(|numbers| hash(&numbers));
        assert_eq!(found, expected, "{}", set.name());
    }
}

/// Without fused multiply-add numbers differ by rounding: in units of 1 + |x| by less than 2·10⁻⁶ in single and 10⁻¹⁴ in double precision.
#[test]
fn instruction_sets_differ_by_rounding() {
    let best = InstructionSet::best();
    for set in InstructionSet::available() {
        for (best, other, bound) in [
            (everything::<f32>(best), everything::<f32>(set), 2e-6),
            (everything::<f64>(best), everything::<f64>(set), 1e-14),
        ] {
            assert_eq!(best.len(), other.len());
            for (x, y) in best.iter().zip(other) {
                let apart = (x - y).abs() / (1.0 + x.abs());
                assert!(apart < bound, "{}: {x}, {y}", set.name());
            }
        }
    }
}
