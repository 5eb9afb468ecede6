use crate::error::{Error, Result};
use faer::Mat;
use std::collections::{BTreeMap, VecDeque};

/// Matrices by name; numbers are 1 × 1.
pub type Tensors = BTreeMap<String, Mat<f64>>;

/// What a later step depends on. One listing of the fields serves writing and reading, so that neither forgets one.
pub trait Stateful {
    /// Passes every field to [`State::field`].
    ///
    /// # Errors
    /// When reading, if a matrix is missing or is not what it should be.
    fn state(&mut self, state: &mut State) -> Result<()>;
}

/// The fields of a [`Stateful`] value on their way to matrices or back.
#[derive(Debug)]
pub struct State {
    tensors: Tensors,
    reading: bool,
    /// The name of the field at hand: names joined by points.
    name: String,
}

impl State {
    /// The fields of `value` as matrices.
    ///
    /// # Errors
    /// Those of [`Stateful::state`].
    pub fn of(value: &mut dyn Stateful) -> Result<Tensors> {
        let mut state = Self {
            tensors: Tensors::new(),
            reading: false,
            name: String::new(),
        };
        value.state(&mut state)?;
        Ok(state.tensors)
    }

    /// Gives a newly made `value` the fields that [`Self::of`] took from another one of the same settings.
    ///
    /// # Errors
    /// If a matrix is missing, is left over, or is not what it should be.
    pub fn restore(value: &mut dyn Stateful, tensors: Tensors) -> Result<()> {
        let mut state = Self {
            tensors,
            reading: true,
            name: String::new(),
        };
        value.state(&mut state)?;
        match state.tensors.keys().next() {
            Some(name) => Err(Error::input(format!("state `{name}` belongs to no field"))),
            None => Ok(()),
        }
    }

    /// Passes one field.
    ///
    /// # Errors
    /// Those of [`Stateful::state`].
    pub fn field(&mut self, name: &str, value: &mut dyn Stateful) -> Result<()> {
        let outer = self.name.len();
        if outer > 0 {
            self.name.push('.');
        }
        self.name.push_str(name);
        value.state(self)?;
        self.name.truncate(outer);
        Ok(())
    }

    fn number(&mut self, value: f64) -> Result<f64> {
        let mut matrix = Mat::full(1, 1, value);
        matrix.state(self)?;
        if matrix.shape() == (1, 1) {
            return Ok(matrix[(0, 0)]);
        }
        let (rows, columns) = matrix.shape();
        Err(Error::input(format!(
            "state `{}` must be a number, was {rows} × {columns}",
            self.name
        )))
    }

    fn count(&mut self, value: usize) -> Result<usize> {
        const MOST: f64 = 1e9;
        let found = self.number(value as f64)?;
        if (0.0..=MOST).contains(&found) && found.fract() == 0.0 {
            return Ok(found as usize);
        }
        Err(Error::input(format!(
            "state `{}` must be a count up to {MOST}, was {found}",
            self.name
        )))
    }
}

/// Values of lists, which reading makes empty before it fills their fields.
pub trait Empty: Stateful {
    /// The value without any state, for it to be read into.
    fn empty() -> Self;
}

impl Stateful for Mat<f64> {
    fn state(&mut self, state: &mut State) -> Result<()> {
        if state.reading {
            let name = &state.name;
            let missing = || Error::input(format!("state `{name}` is missing"));
            *self = state.tensors.remove(name).ok_or_else(missing)?;
        } else {
            state.tensors.insert(state.name.clone(), self.clone());
        }
        Ok(())
    }
}

impl Stateful for f64 {
    fn state(&mut self, state: &mut State) -> Result<()> {
        *self = state.number(*self)?;
        Ok(())
    }
}

impl Stateful for usize {
    fn state(&mut self, state: &mut State) -> Result<()> {
        *self = state.count(*self)?;
        Ok(())
    }
}

impl Stateful for i32 {
    fn state(&mut self, state: &mut State) -> Result<()> {
        *self = state.count(*self as usize)? as i32;
        Ok(())
    }
}

/// The length, and the elements by their index.
impl<T: Empty> Stateful for VecDeque<T> {
    fn state(&mut self, state: &mut State) -> Result<()> {
        let length = state.count(self.len())?;
        self.resize_with(length, T::empty);
        for (index, value) in self.iter_mut().enumerate() {
            state.field(&index.to_string(), value)?;
        }
        Ok(())
    }
}

impl<T: Empty> Stateful for Vec<T> {
    fn state(&mut self, state: &mut State) -> Result<()> {
        let mut values = VecDeque::from(std::mem::take(self));
        let passed = values.state(state);
        *self = values.into();
        passed
    }
}

/// As a list of one or none.
impl<T: Empty> Stateful for Option<T> {
    fn state(&mut self, state: &mut State) -> Result<()> {
        let mut values: Vec<T> = self.take().into_iter().collect();
        let passed = values.state(state);
        *self = values.pop();
        passed
    }
}

impl Empty for Mat<f64> {
    fn empty() -> Self {
        Self::new()
    }
}

impl Empty for f64 {
    fn empty() -> Self {
        0.0
    }
}

impl Empty for usize {
    fn empty() -> Self {
        0
    }
}

impl<T: Empty> Empty for Vec<T> {
    fn empty() -> Self {
        Self::new()
    }
}

impl<A: Empty, B: Empty> Empty for (A, B) {
    fn empty() -> Self {
        (A::empty(), B::empty())
    }
}

impl<A: Stateful, B: Stateful> Stateful for (A, B) {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("0", &mut self.0)?;
        state.field("1", &mut self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list, an absent and a present number, and a matrix come back as they were; what is missing, left over or of
    /// another kind is named.
    #[test]
    fn fields_come_back_or_are_named() {
        #[derive(Debug, Default, PartialEq)]
        struct Fields {
            list: Vec<(Mat<f64>, usize)>,
            absent: Option<f64>,
            present: Option<f64>,
            count: i32,
        }
        impl Stateful for Fields {
            fn state(&mut self, state: &mut State) -> Result<()> {
                state.field("list", &mut self.list)?;
                state.field("absent", &mut self.absent)?;
                state.field("present", &mut self.present)?;
                state.field("count", &mut self.count)
            }
        }
        let mut fields = Fields {
            list: vec![(Mat::full(2, 3, 0.1), 4), (Mat::new(), 0)],
            absent: None,
            present: Some(-f64::MIN_POSITIVE),
            count: 7,
        };
        let tensors = State::of(&mut fields).unwrap();
        let mut found = Fields::default();
        State::restore(&mut found, tensors.clone()).unwrap();
        assert_eq!(found, fields);

        let error = |change: &dyn Fn(&mut Tensors)| {
            let mut tensors = tensors.clone();
            change(&mut tensors);
            State::restore(&mut Fields::default(), tensors)
                .unwrap_err()
                .to_string()
        };
        let removed = error(&|tensors| drop(tensors.remove("list.1.0")));
        assert_eq!(removed, "state `list.1.0` is missing");
        let added = error(&|tensors| drop(tensors.insert("other".into(), Mat::new())));
        assert_eq!(added, "state `other` belongs to no field");
        let half = error(&|tensors| drop(tensors.insert("count".into(), Mat::full(1, 1, 0.5))));
        assert!(half.starts_with("state `count` must be a count"), "{half}");
    }
}
