use crate::error::{Error, Result};

/// For how many paths each path of a sample stands, where it was drawn from a pool of equally likely ones: path b, drawn with
/// probability π_b, stands for m_b = 1/π_b of them. The mean over the pool of what depends on a path is then Σ_b m_b f_b over the
/// number of its paths, without bias.
///
/// # References
/// D. Horvitz and D. Thompson (1952), "A generalization of sampling without replacement from a finite universe", Journal of the
/// American Statistical Association 47(260).
#[derive(Debug, Clone, PartialEq)]
pub struct Masses {
    /// The masses; none where all are 1.
    own: Option<Vec<f64>>,
    count: usize,
    pool: f64,
    sum: f64,
    least: f64,
}

impl Masses {
    /// `count` paths that stand for themselves.
    pub fn equal(count: usize) -> Self {
        Self {
            own: None,
            count,
            pool: count as f64,
            sum: count as f64,
            least: 1.0,
        }
    }

    /// Paths that stand for `pool` paths together, each for as many as `own` says, which needs not add up to that number.
    ///
    /// # Errors
    /// [`Error::Computation`] for a mass that is not above 0 and finite.
    pub fn of_pool(own: Vec<f64>, pool: usize) -> Result<Self> {
        if let Some(wrong) = own.iter().find(|mass| !(mass.is_finite() && **mass > 0.0)) {
            return Err(Error::Computation(format!(
                "a path of a sample stands for {wrong} paths of its pool"
            )));
        }
        Ok(Self {
            count: own.len(),
            pool: pool as f64,
            sum: own.iter().sum(),
            least: own.iter().copied().fold(f64::INFINITY, f64::min),
            own: Some(own),
        })
    }

    /// The number of paths of the sample.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of paths of the pool.
    pub fn pool(&self) -> f64 {
        self.pool
    }

    /// Σ_b m_b, about the number of paths of the pool.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The least mass of a path.
    pub fn least(&self) -> f64 {
        self.least
    }

    /// The mass m_b of a path.
    #[inline(always)]
    pub fn at(&self, path: usize) -> f64 {
        self.own.as_ref().map_or(1.0, |own| own[path])
    }

    /// n m_b/Σ m: how much likelier the path is than one of n equally likely paths.
    #[inline(always)]
    pub fn relative(&self, path: usize) -> f64 {
        self.count as f64 * self.at(path) / self.sum
    }

    /// Every path's mass.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.count).map(|path| self.at(path))
    }

    /// Σ_b m_b f(x_b)/Σ_b m_b
    pub fn mean(&self, values: &[f64], of: impl Fn(f64) -> f64) -> f64 {
        let terms = self.iter().zip(values);
        terms.map(|(mass, value)| mass * of(*value)).sum::<f64>() / self.sum
    }
}
