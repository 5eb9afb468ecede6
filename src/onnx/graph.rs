use std::collections::HashMap;

/// What a tensor consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    /// Numbers in single precision.
    Float,
    /// Numbers in double precision.
    Double,
    /// Integers of 64 bits.
    Integer,
    /// True or false.
    Boolean,
}

impl Element {
    /// Its number as a `TensorProto.DataType`.
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Float => 1,
            Self::Integer => 7,
            Self::Boolean => 9,
            Self::Double => 11,
        }
    }
}

/// The size of a tensor along an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dimension {
    /// Always so many.
    Fixed(usize),
    /// As many as whoever runs the graph says: the same wherever the name is the same.
    Named(&'static str),
}

impl From<usize> for Dimension {
    fn from(size: usize) -> Self {
        Self::Fixed(size)
    }
}

/// A tensor of a graph: an input, a constant or what a node gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value {
    pub(super) place: usize,
    element: Element,
}

impl Value {
    /// What it consists of.
    pub fn element(self) -> Element {
        self.element
    }
}

/// A setting of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// An integer.
    Integer(i64),
    /// Several integers.
    Integers(Vec<i64>),
}

/// An operator with what goes in and what comes out.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub operator: &'static str,
    /// Places of values; none where an optional input is left out.
    pub inputs: Vec<Option<usize>>,
    pub outputs: Vec<usize>,
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// A constant.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    pub value: Value,
    pub sizes: Vec<usize>,
    /// Its elements, the last axis first, each in its own bytes, least significant first.
    pub bytes: Vec<u8>,
}

/// An input or an output.
#[derive(Debug, Clone)]
pub(super) struct Port {
    pub value: Value,
    pub dimensions: Vec<Dimension>,
    /// What it is, for people.
    pub description: String,
}

/// A graph of ONNX operators that grows node by node; a node's inputs come before it.
///
/// Operators are those of the default domain in the version [`super::Model`] names, by their names there. Errors in the use of an
/// operator, such as tensors that do not fit, are found by whoever reads the graph.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    names: Vec<String>,
    pub(super) nodes: Vec<Node>,
    pub(super) tensors: Vec<Tensor>,
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
    /// Constants that are there already.
    constants: HashMap<(Element, Vec<usize>, Vec<u8>), Value>,
}

impl Graph {
    /// The name of a value.
    pub fn name(&self, value: Value) -> &str {
        self.name_at(value.place)
    }

    pub(super) fn name_at(&self, place: usize) -> &str {
        &self.names[place]
    }

    fn value(&mut self, name: String, element: Element) -> Value {
        self.names.push(name);
        Value {
            place: self.names.len() - 1,
            element,
        }
    }

    /// A value without a name of its own.
    fn unnamed(&mut self, element: Element) -> Value {
        let name = format!("value_{}", self.names.len());
        self.value(name, element)
    }

    /// A new input; `description` says what it is.
    pub fn input(
        &mut self,
        name: &str,
        element: Element,
        dimensions: Vec<Dimension>,
        description: &str,
    ) -> Value {
        let value = self.value(name.to_owned(), element);
        self.inputs.push(Port {
            value,
            dimensions,
            description: description.to_owned(),
        });
        value
    }

    /// Makes `value` an output of that name.
    pub fn output(
        &mut self,
        name: &str,
        value: Value,
        dimensions: Vec<Dimension>,
        description: &str,
    ) {
        let named = self.value(name.to_owned(), value.element);
        self.node("Identity", &[Some(value)], vec![named.place], &[]);
        self.outputs.push(Port {
            value: named,
            dimensions,
            description: description.to_owned(),
        });
    }

    fn node(
        &mut self,
        operator: &'static str,
        inputs: &[Option<Value>],
        outputs: Vec<usize>,
        attributes: &[(&'static str, Attribute)],
    ) {
        self.nodes.push(Node {
            operator,
            inputs: inputs.iter().map(|one| one.map(|one| one.place)).collect(),
            outputs,
            attributes: attributes.to_vec(),
        });
    }

    /// What an operator of several outputs, all of which consist of `element`, makes of its inputs; none where an optional one is left
    /// out.
    pub fn apply_many<const OUTPUTS: usize>(
        &mut self,
        operator: &'static str,
        element: Element,
        inputs: &[Option<Value>],
        attributes: &[(&'static str, Attribute)],
    ) -> [Value; OUTPUTS] {
        let outputs = std::array::from_fn(|_| self.unnamed(element));
        let places = outputs.iter().map(|output: &Value| output.place);
        self.node(operator, inputs, places.collect(), attributes);
        outputs
    }

    /// What an operator makes of its inputs, of the same elements as the first one.
    ///
    /// # Panics
    /// If there is no input.
    pub fn apply(
        &mut self,
        operator: &'static str,
        inputs: &[Value],
        attributes: &[(&'static str, Attribute)],
    ) -> Value {
        self.apply_as(operator, inputs[0].element, inputs, attributes)
    }

    /// What an operator makes of its inputs, consisting of `element`.
    pub fn apply_as(
        &mut self,
        operator: &'static str,
        element: Element,
        inputs: &[Value],
        attributes: &[(&'static str, Attribute)],
    ) -> Value {
        let inputs: Vec<Option<Value>> = inputs.iter().copied().map(Some).collect();
        let [output] = self.apply_many(operator, element, &inputs, attributes);
        output
    }

    /// A constant tensor; equal ones are one.
    ///
    /// # Panics
    /// If there are not as many numbers as the sizes say, or they are to be truth values.
    pub fn tensor(&mut self, element: Element, sizes: &[usize], numbers: &[f64]) -> Value {
        assert_eq!(sizes.iter().product::<usize>(), numbers.len());
        let bytes: Vec<u8> = match element {
            Element::Float => numbers
                .iter()
                .flat_map(|x| (*x as f32).to_le_bytes())
                .collect(),
            Element::Double => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Element::Integer => numbers
                .iter()
                .flat_map(|x| (*x as i64).to_le_bytes())
                .collect(),
            Element::Boolean => unreachable!("constants are numbers"),
        };
        let key = (element, sizes.to_vec(), bytes);
        if let Some(known) = self.constants.get(&key) {
            return *known;
        }
        let value = self.unnamed(element);
        self.tensors.push(Tensor {
            value,
            sizes: key.1.clone(),
            bytes: key.2.clone(),
        });
        self.constants.insert(key, value);
        value
    }
}
