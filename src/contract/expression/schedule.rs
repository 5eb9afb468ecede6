use std::fmt;

/// The dates on which a contract is hedged.
///
/// # Units
/// Years. Date 0 is the sale, date `steps` the expiry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// The number of hedging periods, at least 1.
    pub steps: usize,
    /// The length of a period in years.
    pub dt: f64,
    /// Days of a year, which say what `daily` means.
    pub days_per_year: f64,
    /// The least number of periods that a path may live, at most `steps`; `steps` where all live as long.
    pub shortest: usize,
}

impl Grid {
    /// A grid on which all paths live for `steps` periods.
    pub fn new(steps: usize, dt: f64, days_per_year: f64) -> Self {
        Self {
            steps,
            dt,
            days_per_year,
            shortest: steps,
        }
    }
}

/// The schedule of what is paid once, at the end.
pub(super) const EXPIRY: &str = "expiry";

/// The names of all other schedules.
pub(super) const NAMES: [&str; 7] = [
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "yearly",
    "every",
    "fixings",
];

/// How schedules are written, in words.
pub(super) const FORMS: &str = "daily, weekly, monthly, quarterly, yearly, every(n) or fixings(n)";

/// A rule for dates after the sale, of which the expiry is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Rule {
    /// Every so many hedging dates.
    Every(usize),
    Expiry,
    Daily,
    Weekly,
    Monthly,
    Quarterly,
    Yearly,
    /// So many dates at equal distances.
    Fixings(usize),
}

impl Rule {
    /// The rule of a name that takes no number.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            EXPIRY => Some(Self::Expiry),
            "daily" => Some(Self::Daily),
            "weekly" => Some(Self::Weekly),
            "monthly" => Some(Self::Monthly),
            "quarterly" => Some(Self::Quarterly),
            "yearly" => Some(Self::Yearly),
            _ => None,
        }
    }

    /// The rule of a name that takes a number.
    pub fn counted(name: &str) -> Option<fn(usize) -> Self> {
        match name {
            "every" => Some(Self::Every),
            "fixings" => Some(Self::Fixings),
            _ => None,
        }
    }

    /// Dates a year, where that is what the rule says.
    fn per_year(self, grid: &Grid) -> Option<f64> {
        match self {
            Self::Daily => Some(grid.days_per_year),
            Self::Weekly => Some(52.0),
            Self::Monthly => Some(12.0),
            Self::Quarterly => Some(4.0),
            Self::Yearly => Some(1.0),
            Self::Every(_) | Self::Expiry | Self::Fixings(_) => None,
        }
    }

    /// The dates on `grid`, or in words why it has none such.
    pub fn on(self, grid: &Grid) -> Result<Schedule, String> {
        // A path that is too short for a period has its expiry alone; for so many fixings it has not the dates.
        let most = match self {
            Self::Fixings(_) => grid.shortest,
            _ => grid.steps,
        };
        match self {
            Self::Every(1) => Ok(Schedule::All),
            Self::Every(n) | Self::Fixings(n) if n == 0 || n > most => Err(format!(
                "`{self}` does not fit the grid: the number must be from 1 to {most}, the hedging dates of the contract"
            )),
            Self::Every(n) => Ok(Schedule::periodic(grid, |k| k.checked_mul(n))),
            Self::Fixings(n) => Ok(Schedule::Fixings(n)),
            Self::Expiry => Ok(Schedule::Expiry),
            Self::Daily | Self::Weekly | Self::Monthly | Self::Quarterly | Self::Yearly => {
                // Every arm above has no number of dates a year.
                let per_year = self.per_year(grid).unwrap_or(1.0);
                let spacing = 1.0 / (per_year * grid.dt);
                // Rounding of the year fraction makes no schedule finer.
                if spacing < 1.0 - 1e-9 {
                    let hedged = 1.0 / grid.dt;
                    return Err(format!(
                        "`{self}` is finer than the grid: {per_year} dates a year, and the contract is hedged {hedged:.1} times a year"
                    ));
                }
                let date = |k: usize| Some((k as f64 * spacing).round() as usize);
                Ok(Schedule::periodic(grid, date))
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(n) => write!(formatter, "every({n})"),
            Self::Fixings(n) => write!(formatter, "fixings({n})"),
            Self::Expiry => formatter.write_str(EXPIRY),
            Self::Daily => formatter.write_str("daily"),
            Self::Weekly => formatter.write_str("weekly"),
            Self::Monthly => formatter.write_str("monthly"),
            Self::Quarterly => formatter.write_str("quarterly"),
            Self::Yearly => formatter.write_str("yearly"),
        }
    }
}

/// Date number i of n at equal distances: the nearest to i·life/n, the even one of two.
pub fn fixing(i: usize, n: usize, life: usize) -> usize {
    let (below, rest) = (i * life / n, i * life % n);
    let above = 2 * rest > n || (2 * rest == n && below % 2 == 1);
    below + usize::from(above)
}

/// The dates of a rule on a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Schedule {
    /// All dates but the sale.
    All,
    Expiry,
    /// Dates that do not depend on the expiry, and the expiry.
    Periodic {
        /// Whether a date belongs to it, whatever the expiry.
        member: Vec<bool>,
        /// How many dates up to each belong to it, whatever the expiry.
        count: Vec<usize>,
    },
    Fixings(usize),
}

impl Schedule {
    /// The dates that `date` gives for 1, 2, ….
    fn periodic(grid: &Grid, date: impl Fn(usize) -> Option<usize>) -> Self {
        let mut member = vec![false; grid.steps + 1];
        let dates = (1..).map_while(|k| date(k).filter(|date| *date <= grid.steps));
        dates.for_each(|date| member[date] = true);
        let mut so_far = 0;
        let count = member.iter().map(|member| {
            so_far += usize::from(*member);
            so_far
        });
        let count = count.collect();
        Self::Periodic { member, count }
    }

    /// The number of date `t` in the schedule of a path of `life` periods, from 1; 0 if it is none of its dates.
    pub fn number(&self, t: usize, life: usize) -> usize {
        if t == 0 || t > life {
            return 0;
        }
        match self {
            Self::All => t,
            Self::Expiry => usize::from(t == life),
            Self::Periodic { count, .. } if t == life => count[life - 1] + 1,
            Self::Periodic { member, count } => usize::from(member[t]) * count[t],
            Self::Fixings(n) => {
                let i = (2 * t * n + life) / (2 * life);
                if fixing(i, *n, life) == t { i } else { 0 }
            }
        }
    }

    /// Whether `t` is a date of some path.
    pub fn reaches(&self, t: usize, grid: &Grid) -> bool {
        let ends = t >= grid.shortest;
        match self {
            _ if t == 0 => false,
            Self::All => true,
            Self::Expiry => ends,
            Self::Periodic { member, .. } => ends || member[t],
            Self::Fixings(_) => grid.shortest < grid.steps || self.number(t, grid.steps) > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(rule: Rule, grid: &Grid) -> Vec<usize> {
        let schedule = rule.on(grid).unwrap();
        let on = |t: &usize| schedule.number(*t, grid.steps) > 0;
        (0..=grid.steps).filter(on).collect()
    }

    /// A year of 252 trading days has 12 months of 21 days and 4 quarters of 63; a schedule that does not end with the
    /// expiry has it as a further date; the sale is never one.
    #[test]
    fn dates_are_nearest_to_those_of_the_calendar() {
        let year = Grid::new(252, 1.0 / 252.0, 252.0);
        let months: Vec<usize> = (1..=12).map(|k| 21 * k).collect();
        assert_eq!(dates(Rule::Monthly, &year), months);
        assert_eq!(dates(Rule::Fixings(12), &year), months);
        assert_eq!(dates(Rule::Every(21), &year), months);
        assert_eq!(dates(Rule::Quarterly, &year), [63, 126, 189, 252]);
        assert_eq!(dates(Rule::Yearly, &year), [252]);
        assert_eq!(dates(Rule::Daily, &year), (1..=252).collect::<Vec<_>>());
        let month = Grid::new(30, 1.0 / 365.0, 365.0);
        assert_eq!(dates(Rule::Weekly, &month), [7, 14, 21, 28, 30]);
        assert_eq!(dates(Rule::Every(12), &month), [12, 24, 30]);
        assert_eq!(dates(Rule::Fixings(4), &month), [8, 15, 22, 30]);
        assert_eq!(dates(Rule::Quarterly, &month), [30]);
        assert_eq!(dates(Rule::Expiry, &month), [30]);
    }

    /// On a path with a shorter life every schedule is that of a grid of this length: numbers count from 1 without gaps.
    #[test]
    fn a_shorter_life_has_the_schedule_of_a_shorter_grid() {
        let grid = Grid {
            shortest: 5,
            ..Grid::new(40, 1.0 / 252.0, 252.0)
        };
        for rule in [
            Rule::Every(1),
            Rule::Every(3),
            Rule::Weekly,
            Rule::Fixings(5),
            Rule::Expiry,
        ] {
            let schedule = rule.on(&grid).unwrap();
            for life in 5..=40 {
                let own = rule.on(&Grid::new(life, grid.dt, 252.0)).unwrap();
                let mut last = 0;
                for t in 0..=40 {
                    let number = schedule.number(t, life);
                    assert!(number == 0 || schedule.reaches(t, &grid));
                    if t <= life {
                        assert_eq!(number, own.number(t, life), "{rule}, {t} of {life}");
                    }
                    if number > 0 {
                        assert_eq!(number, last + 1);
                        last = number;
                    }
                }
                assert!(schedule.number(life, life) > 0);
            }
        }
    }

    #[test]
    fn what_the_grid_does_not_have_is_refused() {
        let weekly = Grid::new(52, 1.0 / 52.0, 252.0);
        assert_eq!(
            Rule::Daily.on(&weekly).unwrap_err(),
            "`daily` is finer than the grid: 252 dates a year, and the contract is hedged 52.0 times a year"
        );
        for rule in [Rule::Every(53), Rule::Fixings(0)] {
            let words = rule.on(&weekly).unwrap_err();
            assert!(words.ends_with("must be from 1 to 52, the hedging dates of the contract"));
        }
    }
}
