use super::functions::Functional;
use super::lanes;
use super::node::Node;
use super::program::{Plan, Program};
use crate::contract::{Observed, Spots};
use crate::error::{Error, Result};
use crate::simd::{BLOCK, Kernel, Lane, Lanes, Real, dispatch};

impl Program {
    /// What a block of paths pays, and the running values on it.
    ///
    /// `spots` are those of the assets in the order of their names; `terms` the parameters that differ from path to path, in
    /// the order of the sheet; `life` the date of expiry of each path, from the grid's `shortest` to `steps`, where they have
    /// lives of their own. After its expiry a path pays nothing, and its running values stay. What ends the contract is
    /// written if `out` has room for it.
    ///
    /// # Errors
    /// [`crate::error::Fault::Words`] at the setting of an amount that is not a finite number on some path, such as a
    /// logarithm of a negative number; everything is written all the same.
    ///
    /// # Panics
    /// If a shape is another.
    pub fn observe<R: Real>(
        &self,
        spots: Spots<'_, R>,
        terms: &[Lane<f64>],
        life: Option<&[usize; BLOCK]>,
        out: Observed<'_, R>,
    ) -> Result<()> {
        let dates = self.grid.steps + 1;
        assert_eq!(terms.len(), self.terms);
        assert_eq!(out.payments.len(), self.due().len());
        assert_eq!(out.state.len(), self.accumulators().len() * dates);
        if let Some(life) = life {
            let lives = self.grid.shortest..=self.grid.steps;
            assert!(life.iter().all(|life| lives.contains(life)));
        }
        let unpayable = dispatch(Observe {
            program: self,
            spots,
            terms,
            life,
            out,
            values: Lanes::zeros(self.nodes.len()),
            numbers: Lanes::zeros(self.schedules.len()),
            inverses: Lanes::zeros(self.schedules.len()),
        });
        let Some((payment, date)) = unpayable else {
            return Ok(());
        };
        let words = format!("is not a finite number on date {date} of a path");
        Err(Error::key(self.payments[payment].key.clone(), words))
    }
}

struct Observe<'a, R> {
    program: &'a Program,
    spots: Spots<'a, R>,
    terms: &'a [Lane<f64>],
    life: Option<&'a [usize; BLOCK]>,
    out: Observed<'a, R>,
    /// One for each node.
    values: Lanes<f64>,
    /// For each schedule the number of the date in it, 0 if it is none of its dates.
    numbers: Lanes<f64>,
    /// One over each number.
    inverses: Lanes<f64>,
}

impl<R: Real> Kernel for Observe<'_, R> {
    /// The first payment that is not a finite number, and its date.
    type Output = Option<(usize, usize)>;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(mut self) -> Self::Output {
        let program = self.program;
        let mut end = match self.life {
            Some(life) => *life,
            None => [program.grid.steps; BLOCK],
        };
        let mut alive = [1.0; BLOCK];
        let mut unpayable = None;
        for &id in &program.sale {
            self.begin::<FMA>(id);
        }
        self.write_state(0);
        let mut row = 0;
        for t in 1..=program.grid.steps {
            let plan = &program.plans[program.plan_of[t]];
            self.count(plan, t);
            for &id in &plan.nodes {
                self.observe::<FMA>(id, t);
            }
            let mut total = [0.0; BLOCK];
            for &payment in &plan.payments {
                let paid = self.pay(payment, t, &mut alive, &mut end, &mut total);
                if !paid && unpayable.is_none() {
                    unpayable = Some((payment, t));
                }
            }
            if plan.pays {
                narrow(&total, &mut self.out.payments[row]);
                row += 1;
            }
            for &id in &plan.kept {
                if let Node::Previous(x, schedule) = program.nodes[id] {
                    let number = self.numbers[schedule];
                    let (before, after) = self.values.split_at_mut(id);
                    update(&number, &mut after[0], |lane, _| before[x][lane]);
                }
            }
            self.write_state(t);
        }
        if let Some(out) = self.out.end.first_mut() {
            *out = end.map(|date| R::of(date as f64));
        }
        unpayable
    }
}

impl<R: Real> Observe<'_, R> {
    /// The value of a node at the sale.
    #[inline(always)]
    fn begin<const FMA: bool>(&mut self, id: usize) {
        let (before, after) = self.values.split_at_mut(id);
        let out = &mut after[0];
        match self.program.nodes[id] {
            Node::Constant(bits) => *out = [f64::from_bits(bits); BLOCK],
            Node::Term(index) => *out = self.terms[index],
            Node::Years | Node::Observation(_) => *out = [0.0; BLOCK],
            Node::First(x) | Node::Previous(x, _) => *out = before[x],
            Node::Running(functional, x, _) => {
                *out = match functional.start() {
                    Some(start) => [start; BLOCK],
                    None => before[x],
                };
            }
            Node::Spot(_)
            | Node::Unary(..)
            | Node::Binary(..)
            | Node::Whole(..)
            | Node::When(..) => {
                self.observe::<FMA>(id, 0);
            }
        }
    }

    /// The value of a node on date `t`.
    #[inline(always)]
    fn observe<const FMA: bool>(&mut self, id: usize, t: usize) {
        let (before, after) = self.values.split_at_mut(id);
        let out = &mut after[0];
        match self.program.nodes[id] {
            Node::Spot(asset) => widen(&self.spots.of(asset)[t], out),
            Node::Years => *out = [t as f64 * self.program.grid.dt; BLOCK],
            Node::Observation(schedule) => *out = self.numbers[schedule],
            Node::Unary(operation, x) => lanes::unary::<FMA>(operation, &before[x], out),
            Node::Binary(operation, x, y) => lanes::binary(operation, &before[x], &before[y], out),
            Node::Whole(x, n) => lanes::whole(&before[x], n, out),
            Node::When(condition, yes, no) => {
                let (condition, yes, no) = (&before[condition], &before[yes], &before[no]);
                for lane in 0..BLOCK {
                    out[lane] = lanes::chosen(condition[lane], yes[lane], no[lane]);
                }
            }
            Node::Running(functional, x, schedule) => {
                let (number, x) = (&self.numbers[schedule], &before[x]);
                match functional {
                    Functional::Average => {
                        let inverse = &self.inverses[schedule];
                        update(number, out, |lane, mean| {
                            let moved = mean + (x[lane] - mean) * inverse[lane];
                            if number[lane] > 1.0 { moved } else { x[lane] }
                        });
                    }
                    Functional::Sum | Functional::Count => {
                        update(number, out, |lane, sum| sum + x[lane]);
                    }
                    // The sale is not among the dates: the first of them takes the place of its value.
                    Functional::Highest | Functional::Any => update(number, out, |lane, most| {
                        let raised = lanes::greater(most, x[lane]);
                        if number[lane] > 1.0 { raised } else { x[lane] }
                    }),
                    Functional::Lowest | Functional::All => update(number, out, |lane, least| {
                        let lowered = lanes::lesser(least, x[lane]);
                        if number[lane] > 1.0 { lowered } else { x[lane] }
                    }),
                }
            }
            // They keep the values that they have.
            Node::Constant(_) | Node::Term(_) | Node::First(_) | Node::Previous(..) => {}
        }
    }

    /// The number of date `t` in every schedule of a plan.
    #[inline(always)]
    fn count(&mut self, plan: &Plan, t: usize) {
        for &schedule in &plan.schedules {
            let dates = &self.program.schedules[schedule];
            let (number, inverse) = (&mut self.numbers[schedule], &mut self.inverses[schedule]);
            match self.life {
                None => {
                    let count = dates.number(t, self.program.grid.steps) as f64;
                    *number = [count; BLOCK];
                    *inverse = [1.0 / count; BLOCK];
                }
                Some(life) => {
                    for lane in 0..BLOCK {
                        number[lane] = dates.number(t, life[lane]) as f64;
                        inverse[lane] = 1.0 / number[lane];
                    }
                }
            }
        }
    }

    /// Adds a payment to the total of date `t`, and ends what it ends; false if it is no finite number on some path.
    #[inline(always)]
    fn pay(
        &self,
        payment: usize,
        t: usize,
        alive: &mut Lane<f64>,
        end: &mut [usize; BLOCK],
        total: &mut Lane<f64>,
    ) -> bool {
        let payment = &self.program.payments[payment];
        let (number, amount) = (
            &self.numbers[payment.schedule],
            &self.values[payment.amount],
        );
        let mut holds = *alive;
        for lane in 0..BLOCK {
            holds[lane] = if number[lane] > 0.0 { holds[lane] } else { 0.0 };
        }
        if let Some(when) = payment.when {
            let when = &self.values[when];
            for lane in 0..BLOCK {
                holds[lane] = if holds[lane] != 0.0 { when[lane] } else { 0.0 };
            }
        }
        let mut finite = true;
        for lane in 0..BLOCK {
            let paid = lanes::chosen(holds[lane], amount[lane], 0.0);
            finite &= paid.is_finite();
            total[lane] += paid;
        }
        if payment.ends {
            for lane in 0..BLOCK {
                if holds[lane] != 0.0 {
                    alive[lane] = 0.0;
                    end[lane] = t;
                }
            }
        }
        finite
    }

    #[inline(always)]
    fn write_state(&mut self, t: usize) {
        let dates = self.program.grid.steps + 1;
        for (index, node) in self.program.running.iter().enumerate() {
            narrow(&self.values[*node], &mut self.out.state[index * dates + t]);
        }
    }
}

/// Changes the values on the paths on which the date belongs to the schedule.
#[inline(always)]
fn update(number: &Lane<f64>, values: &mut Lane<f64>, new: impl Fn(usize, f64) -> f64) {
    for lane in 0..BLOCK {
        let changed = new(lane, values[lane]);
        values[lane] = if number[lane] > 0.0 {
            changed
        } else {
            values[lane]
        };
    }
}

#[inline(always)]
fn widen<R: Real>(from: &Lane<R>, to: &mut Lane<f64>) {
    for lane in 0..BLOCK {
        to[lane] = from[lane].into_f64();
    }
}

#[inline(always)]
fn narrow<R: Real>(from: &Lane<f64>, to: &mut Lane<R>) {
    for lane in 0..BLOCK {
        to[lane] = R::of(from[lane]);
    }
}
