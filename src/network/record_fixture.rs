use super::record::{MapRecord, Record};
use crate::distributed::{Ranks, Spread};
use crate::simd::{BLOCK, Dates, Real};

impl<R: Real> Record<R> {
    /// A record of one map with given a and g: `at(path, t)` is (a_{t,b}, g_{t,b}).
    ///
    /// # Panics
    /// If `paths` is not a number of whole blocks.
    pub(crate) fn from_fn(
        paths: usize,
        steps: usize,
        at: impl Fn(usize, usize) -> (Vec<f64>, Vec<f64>),
    ) -> Self {
        assert_eq!(paths % BLOCK, 0);
        let (a, g) = at(0, 0);
        let mut map = MapRecord {
            rows: g.len(),
            columns: a.len(),
            gates: 1,
            inputs: Dates::zeros(paths / BLOCK * steps, a.len()),
            gradients: Dates::zeros(paths / BLOCK * steps, g.len()),
        };
        for path in 0..paths {
            for t in 0..steps {
                let (a, g) = at(path, t);
                let date = path / BLOCK * steps + t;
                for (column, a) in a.iter().enumerate() {
                    map.inputs.at_mut(date)[column][path % BLOCK] = R::of(*a);
                }
                for (row, g) in g.iter().enumerate() {
                    map.gradients.at_mut(date)[row][path % BLOCK] = R::of(*g);
                }
            }
        }
        Self {
            spread: Spread::new(&Ranks::alone(), paths / BLOCK),
            steps,
            maps: vec![map],
            factors: Vec::new(),
        }
    }
}
