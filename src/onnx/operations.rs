//! Operators as they are used often.

use super::graph::{Attribute, Element, Graph, Value};
use std::ops::Range;

impl Graph {
    /// A number in double precision, which meets tensors of any shape.
    pub fn number(&mut self, number: f64) -> Value {
        self.tensor(Element::Double, &[], &[number])
    }

    /// Integers in a row, such as axes and sizes.
    pub fn integers(&mut self, integers: &[i64]) -> Value {
        let numbers: Vec<f64> = integers.iter().map(|one| *one as f64).collect();
        self.tensor(Element::Integer, &[integers.len()], &numbers)
    }

    /// The same numbers in another precision; the value itself if they have it already.
    pub fn cast(&mut self, value: Value, element: Element) -> Value {
        if element == value.element() {
            return value;
        }
        let to = [("to", Attribute::Integer(element.code()))];
        self.apply_as("Cast", element, &[value], &to)
    }

    /// a + b
    pub fn add(&mut self, a: Value, b: Value) -> Value {
        self.apply("Add", &[a, b], &[])
    }

    /// a − b
    pub fn subtract(&mut self, a: Value, b: Value) -> Value {
        self.apply("Sub", &[a, b], &[])
    }

    /// a b, element by element
    pub fn multiply(&mut self, a: Value, b: Value) -> Value {
        self.apply("Mul", &[a, b], &[])
    }

    /// a/b, element by element
    pub fn divide(&mut self, a: Value, b: Value) -> Value {
        self.apply("Div", &[a, b], &[])
    }

    /// The larger of a and b.
    pub fn larger(&mut self, a: Value, b: Value) -> Value {
        self.apply("Max", &[a, b], &[])
    }

    /// The smaller of a and b.
    pub fn smaller(&mut self, a: Value, b: Value) -> Value {
        self.apply("Min", &[a, b], &[])
    }

    /// min(max(x, low), high)
    pub fn within(&mut self, x: Value, low: Value, high: Value) -> Value {
        let least = self.larger(x, low);
        self.smaller(least, high)
    }

    /// A double value times a number.
    pub fn scaled(&mut self, x: Value, by: f64) -> Value {
        let by = self.number(by);
        self.multiply(x, by)
    }

    /// A double value plus a number.
    pub fn shifted(&mut self, x: Value, by: f64) -> Value {
        let by = self.number(by);
        self.add(x, by)
    }

    /// `a` where x > bound, `b` elsewhere.
    pub fn where_above(&mut self, (x, bound): (Value, Value), a: Value, b: Value) -> Value {
        let above = self.apply_as("Greater", Element::Boolean, &[x, bound], &[]);
        self.apply_as("Where", a.element(), &[above, a, b], &[])
    }

    /// ln x
    pub fn ln(&mut self, x: Value) -> Value {
        self.apply("Log", &[x], &[])
    }

    /// e^x
    pub fn exp(&mut self, x: Value) -> Value {
        self.apply("Exp", &[x], &[])
    }

    /// √x
    pub fn sqrt(&mut self, x: Value) -> Value {
        self.apply("Sqrt", &[x], &[])
    }

    /// |x|
    pub fn abs(&mut self, x: Value) -> Value {
        self.apply("Abs", &[x], &[])
    }

    /// −x
    pub fn negative(&mut self, x: Value) -> Value {
        self.apply("Neg", &[x], &[])
    }

    /// The greatest integer that is not above x.
    pub fn floor(&mut self, x: Value) -> Value {
        self.apply("Floor", &[x], &[])
    }

    /// 1/(1 + e^{−x}) of doubles, by operators that have all of them in double precision.
    pub fn sigmoid(&mut self, x: Value) -> Value {
        let negative = self.negative(x);
        let power = self.exp(negative);
        let sum = self.shifted(power, 1.0);
        let one = self.number(1.0);
        self.divide(one, sum)
    }

    /// Columns of `[B, columns]` beside each other.
    pub fn beside(&mut self, values: &[Value]) -> Value {
        match values {
            [one] => *one,
            several => self.apply("Concat", several, &[("axis", Attribute::Integer(1))]),
        }
    }

    /// Some of the `count` columns of `[B, count]`, as `[B, columns]`.
    pub fn columns(&mut self, value: Value, columns: Range<usize>, count: usize) -> Value {
        if columns == (0..count) {
            return value;
        }
        let [start, end] = [columns.start, columns.end].map(|one| self.integers(&[one as i64]));
        let axis = self.integers(&[1]);
        self.apply("Slice", &[value, start, end, axis], &[])
    }

    /// A new axis of size 1 before the first.
    pub fn raised(&mut self, value: Value) -> Value {
        let axis = self.integers(&[0]);
        self.apply("Unsqueeze", &[value, axis], &[])
    }

    /// The first axis, of size 1, taken away.
    pub fn lowered(&mut self, value: Value) -> Value {
        let axis = self.integers(&[0]);
        self.apply("Squeeze", &[value, axis], &[])
    }

    /// A tensor of another shape; 0 keeps the size of an axis, −1 stands for what is left.
    pub fn reshaped(&mut self, value: Value, sizes: &[i64]) -> Value {
        let sizes = self.integers(sizes);
        self.apply("Reshape", &[value, sizes], &[])
    }

    /// The sum along an axis, which stays with size 1 if it is `kept`.
    pub fn sum(&mut self, value: Value, axis: i64, kept: bool) -> Value {
        let axis = self.integers(&[axis]);
        let kept = [("keepdims", Attribute::Integer(i64::from(kept)))];
        self.apply("ReduceSum", &[value, axis], &kept)
    }

    /// The mean along the columns of `[B, columns]`, as `[B, 1]`.
    pub fn mean(&mut self, value: Value) -> Value {
        let axis = [("axes", Attribute::Integers(vec![1]))];
        self.apply("ReduceMean", &[value], &axis)
    }
}
