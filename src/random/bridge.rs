/// The Brownian bridge construction on an equidistant grid: the first variate gives the end of the path, the next
/// ones the middles of ever smaller intervals.
///
/// For dates ℓ < m < r and known W_ℓ and W_r,
/// W_m = ((r − m) W_ℓ + (m − ℓ) W_r)/(r − ℓ) + √((m − ℓ)(r − m)/(r − ℓ)) Z. An orthogonal map from the variates to the
/// increments of unit steps, which puts most of a path's variance into the first dimensions of a Sobol point.
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", section 3.1, figure 3.2.
#[derive(Debug, Clone)]
pub(super) struct Bridge {
    steps: usize,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    left: usize,
    right: usize,
    at: usize,
}

impl Bridge {
    /// Prepares the construction of paths over `steps` periods of unit length.
    pub fn new(steps: usize) -> Self {
        let mut nodes = vec![Node {
            left: 0,
            right: steps,
            at: steps,
        }];
        // Breadth first, so that wide intervals come before narrow ones.
        let mut intervals = std::collections::VecDeque::from([(0, steps)]);
        while let Some((left, right)) = intervals.pop_front() {
            if right - left < 2 {
                continue;
            }
            let at = left + (right - left) / 2;
            nodes.push(Node { left, right, at });
            intervals.extend([(left, at), (at, right)]);
        }
        Self { steps, nodes }
    }

    /// Unit normal increments from as many independent variates, in place.
    pub fn apply(&self, variates: &mut [f64]) {
        let mut path = vec![0.0; self.steps + 1];
        for (node, variate) in self.nodes.iter().zip(variates.iter()) {
            let Node { left, right, at } = *node;
            let (before, after) = ((at - left) as f64, (right - at) as f64);
            let whole = before + after;
            path[at] = if at == right {
                before.sqrt() * variate
            } else {
                (after * path[left] + before * path[right]) / whole
                    + (before * after / whole).sqrt() * variate
            };
        }
        for (step, increment) in variates.iter_mut().enumerate() {
            *increment = path[step + 1] - path[step];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The map is orthogonal: columns of its matrix have unit length and no common component, for any grid.
    #[test]
    fn increments_stay_independent_and_of_unit_variance() {
        for steps in [1, 2, 3, 7, 30, 64] {
            let bridge = Bridge::new(steps);
            let columns: Vec<Vec<f64>> = (0..steps)
                .map(|i| {
                    let mut unit = vec![0.0; steps];
                    unit[i] = 1.0;
                    bridge.apply(&mut unit);
                    unit
                })
                .collect();
            for (i, a) in columns.iter().enumerate() {
                for (j, b) in columns.iter().enumerate() {
                    let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-12, "{steps}: {i}, {j}");
                }
            }
            // The first variate alone moves the end of the path: it is √T Z.
            assert!((columns[0].iter().sum::<f64>() - (steps as f64).sqrt()).abs() < 1e-12);
        }
    }
}
