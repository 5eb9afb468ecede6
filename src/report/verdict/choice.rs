//! Which two strategies a verdict is about.

use crate::optimizer::Method;
use crate::report::summary::strategies;
use crate::runs::metrics::{Comparison, Metrics};
use crate::strategy::Strategy;

/// What a reader asks for: names of strategies, each as far as it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The strategy that is compared.
    pub strategy: Option<String>,
    /// The strategy that it is compared with.
    pub baseline: Option<String>,
}

impl Asked {
    /// Whether anything is asked for.
    pub fn is_any(&self) -> bool {
        self.strategy.is_some() || self.baseline.is_some()
    }

    /// What is asked for as one text, which differs where anything of it does.
    pub fn key(&self) -> String {
        match self.is_any() {
            true => format!("{:?} against {:?}", self.strategy, self.baseline),
            false => String::new(),
        }
    }
}

/// A strategy and its baseline, two different strategies of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The strategy that is compared.
    pub strategy: String,
    /// The strategy that it is compared with.
    pub baseline: String,
}

/// The strategies of a run, and what is known of them.
struct Known<'a> {
    metrics: &'a Metrics,
    file: Option<&'a Strategy>,
    names: Vec<String>,
}

impl Known<'_> {
    fn comparisons(&self) -> impl Iterator<Item = &Comparison> {
        let Metrics {
            comparisons,
            backtest_comparisons,
            ..
        } = self.metrics;
        comparisons.iter().chain(backtest_comparisons)
    }

    /// The method that a strategy is trained by, unless it is no optimizer of the strategy file.
    fn method(&self, name: &str) -> Option<Method> {
        let section = self.file.and_then(|file| file.optimizers.get(name));
        section.and_then(|section| section.method).or_else(|| {
            let mut all = Method::ALL.iter();
            all.find(|(known, _)| *known == name)
                .map(|(_, method)| *method)
        })
    }

    /// The trained strategies.
    fn learned(&self) -> impl Iterator<Item = &String> {
        let rows = |name: &str| {
            let rows = self.metrics.evaluation.iter().chain(&self.metrics.backtest);
            rows.clone()
                .any(|row| row.strategy == name && row.seed.is_some())
        };
        self.names.iter().filter(move |name| rows(name))
    }

    /// The first of `names` that is trained by `method`, or else the first.
    fn first<'a>(
        &self,
        names: impl Iterator<Item = &'a String> + Clone,
        method: Method,
    ) -> Option<&'a String> {
        let mut of_method = names.clone();
        of_method
            .find(|name| self.method(name) == Some(method))
            .or_else(|| names.clone().next())
    }

    /// What is compared with `baseline`: what the run itself compares with it, K-FAC first, then what else was trained, then
    /// anything.
    fn strategy(&self, baseline: &str) -> Option<&String> {
        let named = |c: &Comparison| self.names.iter().find(|name| **name == c.strategy);
        let own: Vec<&String> = self
            .comparisons()
            .filter(|c| c.baseline == baseline)
            .filter_map(named)
            .collect();
        let others: Vec<&String> = self.learned().filter(|name| *name != baseline).collect();
        let any = || self.names.iter().find(|name| *name != baseline);
        self.first(own.into_iter(), Method::Kfac)
            .or_else(|| self.first(others.into_iter(), Method::Kfac))
            .or_else(any)
    }

    /// What `strategy`, or whatever is compared, is compared with: the run's own baseline, another learned strategy, Adam
    /// first, or the best classical hedge.
    fn baseline(&self, strategy: Option<&str>) -> Option<&String> {
        let other = |name: &&String| strategy != Some(name.as_str());
        let named = |c: &Comparison| self.names.iter().find(|name| **name == c.baseline);
        let own = self.comparisons().find_map(|c| named(c).filter(other));
        let learned: Vec<&String> = self.learned().collect();
        let is_enough = learned.len() > 1;
        let learned: Vec<&String> = learned.into_iter().filter(other).collect();
        let best = self.metrics.best_classical.iter();
        let best = best.filter(|best| best.market.is_none());
        let best = best
            .filter_map(|best| self.names.iter().find(|name| **name == best.strategy))
            .find(other);
        let trained = |name: &&String| self.learned().any(|one| one == *name);
        let mut classical = self.names.iter().filter(|name| !trained(name));
        own.or_else(|| {
            self.first(learned.into_iter(), Method::Adam)
                .filter(|_| is_enough)
        })
        .or(best)
        .or_else(|| classical.find(other))
    }
}

impl Pair {
    /// The pair that is shown if nothing is asked for: K-FAC against Adam, where the run has both. Nothing if it has fewer than
    /// two strategies.
    pub fn usual(metrics: &Metrics, file: Option<&Strategy>) -> Option<Self> {
        Self::asked(metrics, file, &Asked::default()).ok().flatten()
    }

    /// The pair that is asked for; what is not given is chosen as [`Self::usual`] does.
    ///
    /// # Errors
    /// The name that is asked for and no strategy of the run, or the other one's, with its field: `strategy` or `baseline`.
    pub fn asked<'a>(
        metrics: &Metrics,
        file: Option<&Strategy>,
        asked: &'a Asked,
    ) -> Result<Option<Self>, (&'static str, &'a str)> {
        let names = strategies(metrics);
        let known = Known {
            metrics,
            file,
            names,
        };
        let fields = [("strategy", &asked.strategy), ("baseline", &asked.baseline)];
        for (field, name) in fields {
            if let Some(name) = name
                .as_deref()
                .filter(|name| !known.names.iter().any(|one| one == name))
            {
                return Err((field, name));
            }
        }
        let (strategy, baseline) = (asked.strategy.as_deref(), asked.baseline.as_deref());
        if let (Some(strategy), Some(baseline)) = (strategy, baseline)
            && strategy == baseline
        {
            return Err(("baseline", baseline));
        }
        let baseline = match baseline {
            Some(name) => Some(name.to_owned()),
            None => known.baseline(strategy).cloned(),
        };
        let Some(baseline) = baseline else {
            return Ok(None);
        };
        let strategy = match strategy {
            Some(name) => Some(name.to_owned()),
            None => known.strategy(&baseline).cloned(),
        };
        Ok(strategy.map(|strategy| Self { strategy, baseline }))
    }

    /// The change of this pair among several.
    pub fn of<'a>(&self, comparisons: &'a [Comparison]) -> Option<&'a Comparison> {
        let mut all = comparisons.iter();
        all.find(|c| c.strategy == self.strategy && c.baseline == self.baseline)
    }
}
