//! Which strategies of a study sell the same, and how their hedges compare.

use super::Walked;
use crate::error::{Error, Result};
use crate::report::verdicts::Choice;
use crate::runs::protocol::Compared;
use crate::runs::registration::portable;
use crate::runs::walk_forward::{Phase, TrainingEnd};
use crate::strategy::Plan;
use crate::walk_forward::compared::{Book, Hedged, Measures};
use serde_json::{Value, json};

/// What is sold on history, how it may be hedged, and how all recipes for it compare.
pub struct Problem {
    /// The name of its first strategy.
    pub name: String,
    /// The places of its strategies among those of the study.
    pub recipes: Vec<usize>,
    /// Every row on the contracts of the validation period, if there is one.
    pub validation: Option<Compared>,
    /// Every row on the contracts of the test, unless the runs end before it.
    pub test: Option<Compared>,
    /// The contracts of the test.
    pub book: Book,
    /// How the trainings of every learned policy ended.
    pub trainings: Vec<(String, Vec<TrainingEnd>)>,
    own_validation: Book,
}

/// Problems that differ in the strike alone, with their contracts in one book.
pub struct Together {
    /// The names of the problems.
    pub names: Vec<String>,
    /// Every row that all of them have, on the contracts of their validation periods.
    pub validation: Option<Compared>,
    /// The same on the contracts of their tests.
    pub test: Option<Compared>,
}

/// The rows that a test is read by; nothing before there is one.
fn choice<'a>(validation: &'a Option<Compared>, test: &'a Option<Compared>) -> Option<Choice<'a>> {
    Some(Choice {
        validation: validation.as_ref(),
        test: test.as_ref()?,
    })
}

impl Problem {
    /// The rows that its test is read by; nothing before there is one.
    pub fn choice(&self) -> Option<Choice<'_>> {
        choice(&self.validation, &self.test)
    }
}

impl Together {
    /// The rows that its test is read by; nothing before there is one.
    pub fn choice(&self) -> Option<Choice<'_>> {
        choice(&self.validation, &self.test)
    }
}

/// What strategies of one problem have in common: all that decides which contracts are sold and what hedging them costs.
fn sold(plan: &Plan) -> Result<Value> {
    let table: toml::Table = plan
        .to_toml()?
        .parse()
        .map_err(|error: toml::de::Error| Error::Computation(error.message().into()))?;
    let (strategy, files) = portable(&table)?;
    let of = |key: &str| strategy.get(key).cloned().unwrap_or_default();
    let within = |key: &str, inner: &str| of(key).get(inner).cloned().unwrap_or_default();
    let files: Vec<String> = files.into_iter().map(|file| file.sha256).collect();
    Ok(json!({
        "contract": of("contract"),
        "costs": of("costs"),
        "financing": of("financing"),
        "limits": of("limits"),
        "instruments": within("policy", "instruments"),
        "backtest": of("backtest"),
        "test_from": within("walk_forward", "test_from"),
        "files": files,
    }))
}

/// The strategies by what they sell.
pub fn problems(walked: &[Walked]) -> Result<Vec<Problem>> {
    let mut groups: Vec<(Value, Vec<usize>)> = Vec::new();
    for (place, one) in walked.iter().enumerate() {
        let sold = sold(&one.prepared.plan)?;
        match groups.iter_mut().find(|(known, _)| *known == sold) {
            Some((_, group)) => group.push(place),
            None => groups.push((sold, vec![place])),
        }
    }
    let problem = |(_, recipes): (Value, Vec<usize>)| -> Result<Problem> {
        let first = &walked[recipes[0]].prepared.plan;
        let book = |phase: Phase| {
            let of = |place: &usize| {
                let one = &walked[*place];
                let own = Book::new(&one.results.windows, &one.in_phase(phase));
                (one.prepared.plan.name.as_str(), own)
            };
            joined(recipes.iter().map(of).collect())
        };
        let (own_validation, book) = (book(Phase::Validation)?, book(Phase::Test)?);
        let measures = measures(first);
        let known: Vec<&str> = book.rows.iter().map(|row| row.name.as_str()).collect();
        let mut trainings: Vec<(String, Vec<TrainingEnd>)> = Vec::new();
        for place in &recipes {
            let one = &walked[*place];
            for optimizer in &one.prepared.plan.optimizers {
                let windows = one.results.windows.iter();
                let ends = windows.flat_map(|window| &window.trainings);
                let own = ends.filter(|end| end.strategy == optimizer.name).cloned();
                let plain = known.contains(&optimizer.name.as_str());
                let name = match plain {
                    true => optimizer.name.clone(),
                    false => labelled(&optimizer.name, &one.prepared.plan.name),
                };
                trainings.push((name, own.collect()));
            }
        }
        trainings.retain(|(_, ends)| !ends.is_empty());
        Ok(Problem {
            name: first.name.clone(),
            validation: own_validation.compared(Phase::Validation, &measures),
            test: book.compared(Phase::Test, &measures),
            recipes,
            book,
            trainings,
            own_validation,
        })
    };
    groups.into_iter().map(problem).collect()
}

fn measures(plan: &Plan) -> Measures<'_> {
    Measures {
        seed: plan.seed,
        risk: &plan.risk,
    }
}

fn labelled(row: &str, strategy: &str) -> String {
    format!("{row} ({strategy})")
}

/// The rows of several strategies on the same contracts: learned policies by their own names or, where strategies share one, with
/// that of their strategy; a classical hedge once, unless strategies give it different parameters.
fn joined(books: Vec<(&str, Book)>) -> Result<Book> {
    let mut count: Vec<(String, usize)> = Vec::new();
    for row in books.iter().flat_map(|(_, book)| &book.rows) {
        match count.iter_mut().find(|(name, _)| *name == row.name) {
            Some((_, count)) => *count += 1,
            None => count.push((row.name.clone(), 1)),
        }
    }
    let shared = |name: &str| {
        count
            .iter()
            .any(|(known, count)| known == name && *count > 1)
    };
    let mut all: Option<Book> = None;
    for (strategy, book) in books {
        let Some(all) = &mut all else {
            let rows = book.rows.into_iter().map(|row| match row.classical {
                true => row,
                false if shared(&row.name) => renamed(row, strategy),
                false => row,
            });
            all = Some(Book {
                rows: rows.collect(),
                contracts: book.contracts,
            });
            continue;
        };
        let days = |book: &Book| {
            book.contracts
                .iter()
                .map(|one| (one.sold, one.expiry))
                .collect::<Vec<_>>()
        };
        if days(all) != days(&book) {
            return Err(Error::input(format!(
                "strategy \"{strategy}\": it sells what another strategy of the study sells, but not on the same days"
            )));
        }
        for row in book.rows {
            let same = |known: &Hedged| known.name == row.name && known.books == row.books;
            if row.classical && all.rows.iter().any(same) {
                continue;
            }
            all.rows.push(match shared(&row.name) {
                true => renamed(row, strategy),
                false => row,
            });
        }
    }
    let mut all = all.unwrap_or(Book {
        contracts: Vec::new(),
        rows: Vec::new(),
    });
    all.rows.sort_by_key(|row| row.classical);
    Ok(all)
}

fn renamed(row: Hedged, strategy: &str) -> Hedged {
    Hedged {
        name: labelled(&row.name, strategy),
        title: labelled(&row.title, strategy),
        ..row
    }
}

/// Groups of problems that differ in the strike alone, and in the premium that goes with it.
pub fn together(walked: &[Walked], problems: &[Problem]) -> Result<Vec<Together>> {
    let mut groups: Vec<(Value, Vec<&Problem>)> = Vec::new();
    for problem in problems {
        let mut key = sold(&walked[problem.recipes[0]].prepared.plan)?;
        if let Some(contract) = key.get_mut("contract").and_then(Value::as_object_mut) {
            contract.remove("strike");
            contract.remove("premium");
        }
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(problem),
            None => groups.push((key, vec![problem])),
        }
    }
    let several = groups.into_iter().filter(|(_, group)| group.len() > 1);
    let pooled = several.map(|(_, group)| {
        let measures = measures(&walked[group[0].recipes[0]].prepared.plan);
        let pool = |of: fn(&Problem) -> &Book, phase: Phase| {
            let books: Vec<(&str, &Book)> = group
                .iter()
                .map(|problem| (problem.name.as_str(), of(problem)))
                .collect();
            Book::pooled(&books).compared(phase, &measures)
        };
        Together {
            names: group.iter().map(|problem| problem.name.clone()).collect(),
            validation: pool(|problem| &problem.own_validation, Phase::Validation),
            test: pool(|problem| &problem.book, Phase::Test),
        }
    });
    Ok(pooled.collect())
}
