//! The optimizers on two problems of the literature, which the sweep record makes the same code: updates and seconds to
//! the loss at which gradient descent with momentum ends.
//!
//! `cargo bench --bench optimizers`, or one problem of it: `cargo bench --bench optimizers -- autoencoder`; the problems
//! are `autoencoder` and `adding`. Further words are methods, which alone are trained, and the loss that they are to reach:
//! `-- adding muon soap 0.0001`. Seconds are CPU time.

mod adding;
mod autoencoder;

use cpu_time::ProcessTime;
use deephedge::distributed::Workers;
use deephedge::network::Record;
use deephedge::optimizer::{Batch, Build, Method};
use faer::Mat;
use std::sync::Arc;

/// A loss that is minimised on new examples at every step.
trait Problem {
    /// Examples of every step.
    const EXAMPLES: usize;
    /// c: the Hessian of the loss is about (c/n) Σ_b J_b J_bᵀ.
    const CURVATURE: f64;

    fn weights(&self, seed: u64) -> Vec<Mat<f64>>;

    /// The loss of the examples of step `step` and its gradient; with `sampled` > 0, the first examples' record too.
    fn step(
        &mut self,
        weights: &[Mat<f64>],
        step: usize,
        sampled: usize,
        record: &mut Record<f32>,
    ) -> (f64, Vec<Mat<f64>>);

    /// The loss on examples that no step sees.
    fn test(&self, weights: &[Mat<f64>]) -> f64;
}

/// The test loss after some updates and seconds of training.
struct Measured {
    update: usize,
    seconds: f64,
    loss: f64,
}

/// Training curves are measured this many times.
const MEASUREMENTS: usize = 100;

fn train<P: Problem>(problem: &mut P, settings: &dyn Build, updates: usize) -> Vec<Measured> {
    let mut optimizer = settings.build();
    let mut weights = problem.weights(1);
    let mut record = Record::default();
    let mut curve = Vec::new();
    let mut seconds = 0.0;
    for step in 0..updates {
        let start = ProcessTime::now();
        let sampled = optimizer.curvature_paths(step).min(P::EXAMPLES);
        let (loss, gradient) = problem.step(&weights, step, sampled, &mut record);
        if !loss.is_finite() {
            break;
        }
        let proposal = optimizer.propose(&Batch {
            gradient: &gradient,
            parameters: &weights,
            record: (sampled > 0).then_some(&record),
            workers: &Workers::alone(),
            curvature: P::CURVATURE,
            steepest: f64::INFINITY,
            step,
            progress: step as f64 / updates as f64,
        });
        let Ok(proposal) = proposal else { break };
        for (weights, change) in weights.iter_mut().zip(&proposal.change) {
            *weights += change;
        }
        seconds += start.elapsed().as_secs_f64();
        if optimizer.wants_trial(step) {
            let start = ProcessTime::now();
            let (after, _) = problem.step(&weights, step, 0, &mut record);
            optimizer.trial(loss, after);
            seconds += start.elapsed().as_secs_f64();
        }
        if (step + 1).is_multiple_of(updates.div_ceil(MEASUREMENTS)) || step + 1 == updates {
            let loss = problem.test(&weights);
            curve.push(Measured {
                update: step + 1,
                seconds,
                loss,
            });
        }
    }
    curve
}

/// A method with the settings among which the best end is taken.
struct Entry {
    name: &'static str,
    method: Method,
    updates: usize,
    candidates: &'static [&'static str],
}

fn settings(entry: &Entry, candidate: &str) -> Arc<dyn Build> {
    let keys = toml::from_str(&candidate.replace("; ", "\n")).expect("settings in TOML");
    let (settings, _) = entry.method.read(entry.name, keys).expect("valid settings");
    settings
}

/// What is asked for: problems, methods and a loss.
struct Asked(Vec<String>);

impl Asked {
    const PROBLEMS: [&str; 2] = ["autoencoder", "adding"];

    fn is_problem(&self, name: &str) -> bool {
        let mut problems = self
            .0
            .iter()
            .filter(|word| Self::PROBLEMS.contains(&word.as_str()));
        problems.clone().next().is_none() || problems.any(|word| word == name)
    }

    fn level(&self) -> Option<f64> {
        self.0.iter().find_map(|word| word.parse().ok())
    }

    fn is_method(&self, name: &str) -> bool {
        let is_name = |word: &&String| {
            !Self::PROBLEMS.contains(&word.as_str()) && word.parse::<f64>().is_err()
        };
        let mut names = self.0.iter().filter(is_name);
        names.clone().next().is_none() || names.any(|word| word == name)
    }
}

/// Trains every entry that is asked for with its candidates, and prints when the best of each reaches `level`, without one the
/// end of the first entry's, which is returned.
fn compare<P: Problem>(
    title: &str,
    problem: &mut P,
    entries: &[Entry],
    mut level: Option<f64>,
    asked: &Asked,
) -> Option<f64> {
    let entries = entries.iter().filter(|entry| asked.is_method(entry.name));
    let entries: Vec<&Entry> = entries.collect();
    if entries.is_empty() {
        return level;
    }
    println!("\n{title}");
    println!(
        "{:<16} {:>8} {:>9} {:>10} {:>12} {:>12}  settings",
        "method", "updates", "seconds", "test loss", "updates to", "seconds to"
    );
    for entry in entries {
        let end = |curve: &[Measured]| curve.last().map_or(f64::INFINITY, |last| last.loss);
        let (curve, candidate) = entry
            .candidates
            .iter()
            .map(|candidate| {
                let settings = settings(entry, candidate);
                (train(problem, &*settings, entry.updates), candidate)
            })
            .min_by(|a, b| end(&a.0).total_cmp(&end(&b.0)))
            .expect("a candidate");
        let level = *level.get_or_insert(end(&curve));
        let reached = curve.iter().find(|point| point.loss <= level);
        let last = curve.last().expect("a measurement");
        let (updates, seconds) = reached.map_or(("-".into(), "-".into()), |point| {
            (point.update.to_string(), format!("{:.2}", point.seconds))
        });
        println!(
            "{:<16} {:>8} {:>9.2} {:>10.5} {updates:>12} {seconds:>12}  {candidate}",
            entry.name, last.update, last.seconds, last.loss
        );
    }
    level
}

fn main() {
    let words = std::env::args().skip(1);
    let asked = Asked(words.filter(|word| !word.starts_with('-')).collect());
    if asked.is_problem("autoencoder") {
        let title = format!(
            "Auto-encoder {}, {} examples a step, cross-entropy",
            autoencoder::SIZES.map(|size| size.to_string()).join("-"),
            autoencoder::Autoencoder::EXAMPLES
        );
        compare(
            &title,
            &mut autoencoder::Autoencoder::new(),
            &[
                Entry {
                    name: "momentum",
                    method: Method::Sgd,
                    updates: 2000,
                    candidates: &[
                        "learning_rate = 0.01; momentum = 0.99; clip_norm = 10.0",
                        "learning_rate = 0.03; momentum = 0.99; clip_norm = 10.0",
                        "learning_rate = 0.1; momentum = 0.9; clip_norm = 10.0",
                        "learning_rate = 0.1; momentum = 0.95; clip_norm = 10.0",
                    ],
                },
                Entry {
                    name: "adam",
                    method: Method::Adam,
                    updates: 1000,
                    candidates: &[
                        "learning_rate = 0.001; beta1 = 0.9; beta2 = 0.999",
                        "learning_rate = 0.003; beta1 = 0.9; beta2 = 0.999",
                        "learning_rate = 0.01; beta1 = 0.9; beta2 = 0.99",
                        "learning_rate = 0.005; beta1 = 0.8; beta2 = 0.99",
                    ],
                },
                Entry {
                    name: "kfac",
                    method: Method::Kfac,
                    updates: 400,
                    candidates: &[
                        "approximation = \"expand\"; weights = \"uniform\"; weight_decay = 0.0; trust_radius = 3.0; damping = 0.003; start_steps = 0; radius_paths = 128",
                        "approximation = \"expand\"; weights = \"uniform\"; weight_decay = 0.0; trust_radius = 10.0; damping = 0.003; start_steps = 0; radius_paths = 128",
                        "approximation = \"expand\"; weights = \"uniform\"; weight_decay = 0.0; trust_radius = 3.0; damping = 0.03; start_steps = 0; radius_paths = 128",
                        "approximation = \"expand\"; weights = \"uniform\"; weight_decay = 0.0; step_rule = \"quadratic\"; damping_rule = \"levenberg_marquardt\"; trust_radius = 30.0; damping = 1.0; start_steps = 0; momentum = 0.0; radius_paths = 512",
                    ],
                },
                Entry {
                    name: "shampoo",
                    method: Method::Shampoo,
                    updates: 500,
                    candidates: &["learning_rate = 0.01", "learning_rate = 0.03"],
                },
                Entry {
                    name: "soap",
                    method: Method::Soap,
                    updates: 500,
                    candidates: &[
                        "learning_rate = 0.003; factor_period = 10",
                        "learning_rate = 0.01; factor_period = 10",
                    ],
                },
                Entry {
                    name: "muon",
                    method: Method::Muon,
                    updates: 500,
                    candidates: &["learning_rate = 0.02", "learning_rate = 0.1"],
                },
                Entry {
                    name: "kl_shampoo",
                    method: Method::KlShampoo,
                    updates: 500,
                    candidates: &[
                        "learning_rate = 0.003; factor_period = 10",
                        "learning_rate = 0.01; factor_period = 10",
                    ],
                },
                Entry {
                    name: "psgd_kron",
                    method: Method::PsgdKron,
                    updates: 500,
                    candidates: &[
                        "learning_rate = 0.003; factor_period = 10",
                        "learning_rate = 0.01; factor_period = 10",
                    ],
                },
            ],
            asked.level(),
            &asked,
        );
    }
    if asked.is_problem("adding") {
        let title = format!(
            "Adding problem, {} dates, LSTM of {} units, {} examples a step, squared error",
            adding::DATES,
            adding::HIDDEN,
            adding::Adding::EXAMPLES
        );
        let adam = &[
            "learning_rate = 0.003; beta1 = 0.9; beta2 = 0.999",
            "learning_rate = 0.01; beta1 = 0.9; beta2 = 0.999",
            "learning_rate = 0.03; beta1 = 0.9; beta2 = 0.99",
        ];
        let rates = &[
            "learning_rate = 0.003",
            "learning_rate = 0.01",
            "learning_rate = 0.03",
        ];
        let level = compare(
            &title,
            &mut adding::Adding::new(false),
            &[
                Entry {
                    name: "momentum",
                    method: Method::Sgd,
                    updates: 3000,
                    candidates: &[
                        "learning_rate = 0.1; momentum = 0.9",
                        "learning_rate = 0.3; momentum = 0.9",
                        "learning_rate = 0.1; momentum = 0.99",
                    ],
                },
                Entry {
                    name: "adam",
                    method: Method::Adam,
                    updates: 2000,
                    candidates: adam,
                },
                Entry {
                    name: "kfac",
                    method: Method::Kfac,
                    updates: 1000,
                    candidates: &[
                        "weights = \"uniform\"; weight_decay = 0.0; trust_radius = 0.1; start_learning_rate = 0.01",
                        "weights = \"uniform\"; weight_decay = 0.0; trust_radius = 0.03; start_learning_rate = 0.01",
                        "weights = \"uniform\"; weight_decay = 0.0; trust_radius = 0.1; damping = 0.003; start_learning_rate = 0.01",
                    ],
                },
                Entry {
                    name: "kfac, expand",
                    method: Method::Kfac,
                    updates: 1000,
                    candidates: &[
                        "approximation = \"expand\"; weights = \"uniform\"; weight_decay = 0.0; trust_radius = 0.1; start_learning_rate = 0.01",
                        "approximation = \"expand\"; weights = \"uniform\"; weight_decay = 0.0; trust_radius = 0.03; start_learning_rate = 0.01",
                        "approximation = \"expand\"; weights = \"uniform\"; weight_decay = 0.0; trust_radius = 0.1; damping = 0.003; start_learning_rate = 0.01",
                    ],
                },
                Entry {
                    name: "soap",
                    method: Method::Soap,
                    updates: 2000,
                    candidates: rates,
                },
                Entry {
                    name: "muon",
                    method: Method::Muon,
                    updates: 2000,
                    candidates: rates,
                },
                Entry {
                    name: "kl_shampoo",
                    method: Method::KlShampoo,
                    updates: 2000,
                    candidates: rates,
                },
                Entry {
                    name: "psgd_kron",
                    method: Method::PsgdKron,
                    updates: 2000,
                    candidates: rates,
                },
            ],
            asked.level(),
            &asked,
        );
        compare(
            "The same with layer normalisation, to momentum's end without it",
            &mut adding::Adding::new(true),
            &[Entry {
                name: "adam",
                method: Method::Adam,
                updates: 2000,
                candidates: adam,
            }],
            level,
            &asked,
        );
    }
}
