//! Who hedges books: a run's policies and prices, read once for any number of books.

use super::chosen;
use crate::backtest::{self, Calendar, Contracts, JointCalibration};
use crate::contract::Instrument;
use crate::error::{Error, Result};
use crate::experiment;
use crate::hedging::{ClassicalHedge, HedgeValues};
use crate::market::History;
use crate::network::Parameters;
use crate::runs::classical;
use crate::runs::metrics::Metrics;
use crate::runs::protocol::Compared;
use crate::runs::store::RunFolder;
use crate::runs::trained_on::{self, TrainedOn};
use crate::runs::walk_forward::Results;
use crate::strategy::{BacktestPlan, Plan, Regressions};
use crate::walk_forward::{BeforeSales, Walked, WindowHistory};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A run with prices, as whoever hedges books by it needs them: what is read and estimated for one book is there for the next.
pub struct Desk {
    run: RunFolder,
    plan: Plan,
    settings: BacktestPlan,
    metrics: Metrics,
    histories: Vec<History>,
    walked: Option<Walked>,
    /// Its strategies on the contracts of the validation period, if there is one.
    validated: Option<Box<Compared>>,
    teams: Made<Option<usize>, Team>,
    /// That of the day that was asked for last.
    today: Mutex<Option<(Option<NaiveDate>, Arc<Today>)>>,
}

/// Policies that were trained for the same contracts, and what they are to hedge beside.
pub struct Team {
    /// Every optimizer and seed.
    pub policies: Vec<Member>,
    /// What they were trained on; none of a run of an older version.
    pub trained_on: Option<TrainedOn>,
    /// The best classical hedge with its parameters; none if the run has none.
    pub benchmark: Option<(ClassicalHedge, HedgeValues)>,
}

/// A policy.
pub struct Member {
    /// The name of the optimizer that trained it.
    pub optimizer: String,
    /// The seed of its training.
    pub seed: u64,
    /// Its weights.
    pub parameters: Parameters,
}

/// Prices up to a day.
pub struct Today {
    /// The closes of the first asset.
    pub history: History,
    /// Those of every asset, continued by usual weekdays on which nothing moves.
    pub further: Vec<History>,
    /// What is said of them.
    pub settings: BacktestPlan,
    /// What must be known of them.
    pub warnings: Vec<String>,
    known: Made<(Option<usize>, Range<usize>), KnownMarket>,
}

/// What is known of the market before contracts are sold.
pub struct KnownMarket {
    /// The parameters of every asset, and the variances of every close.
    pub calibration: JointCalibration,
    /// The strategy, of a window in the market of the window.
    pub plan: Plan,
    /// The contracts that had expired before, where hedges are fitted on them.
    pub past: Option<Contracts>,
    /// What keeps the fits of a window's classical hedges, with how the window found the rest.
    pub window: Option<(BeforeSales, Regressions)>,
    /// What must be known of it.
    pub warning: Option<String>,
}

/// What is made once for each key, as long as there are not too many.
struct Made<K, T>(Mutex<HashMap<K, Arc<T>>>);

impl<K, T> Default for Made<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, T> Made<K, T> {
    /// The most that is kept.
    const MOST: usize = 64;

    /// That of a key. Nobody waits for whoever makes it: what two make at once is the same.
    fn of(&self, key: K, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = known().get(&key) {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(make()?);
        let mut known = known();
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.insert(key, Arc::clone(&made));
        Ok(made)
    }
}

/// Why no book can be hedged by the policies of a plan; nothing if one can.
pub fn refusal(plan: &Plan) -> Option<&'static str> {
    let several = plan.assets().count() > 1;
    several.then_some("hedges several assets, and a book has contracts on one")
}

impl Desk {
    /// The run in `folder` on the history of `settings`; `plan` is the run's with that history.
    ///
    /// # Errors
    /// [`Error::Input`] if the run is unfinished or damaged, has no policies, or hedges several assets; those of reading the history.
    pub fn open(folder: &RunFolder, plan: Plan, settings: BacktestPlan) -> Result<Self> {
        if let Some(why) = refusal(&plan) {
            return Err(Error::input(format!("run `{}`: {why}", folder.id())));
        }
        let metrics = folder.metrics()?;
        let (walked, validated) = match folder.path().join(RunFolder::WINDOWS).is_dir() {
            true => {
                let results = Results::of_run(folder)?;
                let validated = results.and_then(|results| results.validation);
                (Some(Walked::open(folder, &plan)?), validated)
            }
            false => (None, None),
        };
        Ok(Self {
            run: folder.clone(),
            histories: backtest::load(&plan, &settings)?,
            plan,
            settings,
            metrics,
            walked,
            validated,
            teams: Made::default(),
            today: Mutex::default(),
        })
    }

    /// The id of the run.
    pub fn run(&self) -> &str {
        self.run.id()
    }

    /// The run's strategy.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The windows, of a walk-forward.
    pub fn walked(&self) -> Option<&Walked> {
        self.walked.as_ref()
    }

    /// The optimizer whose policies hedge, and how it was chosen.
    ///
    /// # Errors
    /// [`Error::Input`] if the run has no policies, or none of the optimizer that is asked for.
    pub fn optimizer(&self, asked: Option<&str>) -> Result<(String, &'static str)> {
        let of_plan = self.plan.optimizers.iter().map(|one| one.name.as_str());
        let names: Vec<&str> = match self.walked {
            // Every window has all of them.
            Some(_) => of_plan.collect(),
            None => {
                let team = self.team(None)?;
                let has = |name: &&str| team.policies.iter().any(|one| one.optimizer == *name);
                of_plan.filter(has).collect()
            }
        };
        let validated = self.validated.as_deref();
        chosen::optimizer(&self.plan, (&self.metrics, validated), &names, asked)
    }

    /// The policies of the run or, of a walk-forward, of a window.
    ///
    /// # Errors
    /// [`Error::Input`] if they are damaged.
    pub fn team(&self, window: Option<usize>) -> Result<Arc<Team>> {
        self.teams.of(window, || match (&self.walked, window) {
            (Some(walked), Some(number)) => self.team_of(walked, number),
            (None, _) | (_, None) => self.only_team(),
        })
    }

    fn only_team(&self) -> Result<Team> {
        let saved = experiment::saved_policies(&self.run, &self.plan)?;
        let best = self.metrics.best_classical.first();
        let best = best.map(|best| &best.strategy);
        let best = best.or_else(|| classical::best(&self.metrics.hedges).map(|one| &one.strategy));
        let benchmark = match best {
            Some(name) => experiment::hedge_values(&self.plan, &self.metrics)?
                .into_iter()
                .find(|(hedge, _)| hedge.name() == *name),
            None => None,
        };
        let members = saved.into_iter().map(|one| Member {
            optimizer: one.strategy().to_owned(),
            seed: one.seed(),
            parameters: one.into_parameters(),
        });
        Ok(Team {
            policies: members.collect(),
            trained_on: self.run.read_json(trained_on::FILE)?,
            benchmark,
        })
    }

    fn team_of(&self, walked: &Walked, number: usize) -> Result<Team> {
        let members = walked.policies(number)?.into_iter().map(|one| Member {
            optimizer: one.optimizer,
            seed: one.seed,
            parameters: one.parameters,
        });
        let hedges = &walked.windows()[number].window.hedges;
        let benchmark = classical::best(hedges).and_then(|row| {
            let mut known = self.plan.hedges.iter();
            let hedge = known.find(|hedge| hedge.name() == row.strategy)?;
            Some((*hedge, row.values()))
        });
        Ok(Team {
            policies: members.collect(),
            trained_on: walked.trained_on(number)?,
            benchmark,
        })
    }

    /// The prices up to a day, or all of them.
    ///
    /// # Errors
    /// [`Error::Input`] if they begin later; those of the calendar.
    pub fn today(&self, date: Option<NaiveDate>) -> Result<Arc<Today>> {
        let kept = || self.today.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((day, today)) = kept().as_ref()
            && *day == date
        {
            return Ok(Arc::clone(today));
        }
        let today = Arc::new(self.up_to(date)?);
        *kept() = Some((date, Arc::clone(&today)));
        Ok(today)
    }

    fn up_to(&self, date: Option<NaiveDate>) -> Result<Today> {
        let mut histories = self.histories.clone();
        let mut warnings = histories[0].warnings.clone();
        if let Some(date) = date {
            let first = histories[0].dates[0];
            if date < first {
                return Err(Error::input(format!(
                    "--date {date}: the prices begin on {first}"
                )));
            }
            let before = histories.into_iter().map(|one| one.up_to(date));
            histories = before.collect();
            let last = histories[0].dates[histories[0].len() - 1];
            if last != date {
                warnings.push(format!("{date} has no close: today is {last}"));
            }
        }
        histories[0].require_days()?;
        let mut settings = self.settings.clone();
        // How often there is a close is said by the days that were, not by those that follow.
        let found = histories[0].frequency().observations_per_year;
        settings.days_per_year = settings.days_per_year.or(Some(found));
        // What no calendar allows is refused before it is continued.
        Calendar::new(&histories[0], &self.plan, &settings)?;
        let tenor = self.plan.tenor;
        let options = self.plan.instruments.iter().map(|(one, _)| match one {
            Instrument::Option(option) => option.expiry * tenor.days_per_year,
            Instrument::Spot(_) | Instrument::VarianceSwap(_) => 0.0,
        });
        let days = options.fold(tenor.days, f64::max).ceil() as usize;
        if days > LONGEST {
            return Err(Error::input(format!(
                "`contract.expiry_days`: prices are continued for at most {LONGEST} days, was {days}"
            )));
        }
        let further = histories.iter().map(|one| one.clone().continued(days + 1));
        Ok(Today {
            further: further.collect(),
            history: histories.swap_remove(0),
            settings,
            warnings,
            known: Made::default(),
        })
    }

    /// What is known on `today` of the market before contracts are sold: of a window before it began to sell, otherwise from the closes
    /// `known`.
    ///
    /// # Errors
    /// Those of the calibration.
    pub fn known(
        &self,
        today: &Today,
        calendar: &Calendar<'_>,
        (window, known): (Option<usize>, Range<usize>),
    ) -> Result<Arc<KnownMarket>> {
        let key = (window, known.clone());
        today.known.of(key, || {
            let (histories, settings) = (&today.further, &today.settings);
            let past = |plan: &Plan, calibration: &JointCalibration, known: Range<usize>| {
                Contracts::expired(plan, || {
                    backtest::past(histories, plan, settings, calendar, calibration, known)
                })
            };
            if let (Some(walked), Some(number)) = (&self.walked, window) {
                let before = walked.before(number, today.on(calendar))?;
                return Ok(KnownMarket {
                    calibration: before.calibration().clone(),
                    plan: before.plan().clone(),
                    past: past(before.plan(), before.calibration(), before.closes())?,
                    warning: walked.differs(&before),
                    window: Some((before, Regressions::default())),
                });
            }
            let plan = &self.plan;
            let calibration =
                JointCalibration::new(histories, plan, settings, calendar, known.clone())?;
            Ok(KnownMarket {
                past: past(plan, &calibration, known)?,
                calibration,
                plan: plan.clone(),
                window: None,
                warning: None,
            })
        })
    }
}

/// The longest life of a contract, or of an option that hedges it, in days.
const LONGEST: usize = 100_000;

impl Today {
    /// Which closes belong to a contract.
    ///
    /// # Errors
    /// Those of [`Calendar::new`].
    pub fn calendar(&self, plan: &Plan) -> Result<Calendar<'_>> {
        Calendar::new(&self.further[0], plan, &self.settings)
    }

    /// The closes as windows are calibrated on them.
    pub fn on<'a>(&'a self, calendar: &'a Calendar<'a>) -> WindowHistory<'a> {
        WindowHistory {
            settings: &self.settings,
            histories: &self.further,
            calendar,
        }
    }

    /// The close of the day.
    pub fn close(&self) -> f64 {
        self.history.close[self.history.len() - 1]
    }

    /// The day.
    pub fn day(&self) -> NaiveDate {
        self.history.dates[self.history.len() - 1]
    }
}
