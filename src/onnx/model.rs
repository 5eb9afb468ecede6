use super::graph::{Attribute, Dimension, Graph, Node, Port, Tensor};
use super::protobuf::Message;

/// The version of the file's format, that of the release that has [`OPERATORS`].
const FORMAT: i64 = 8;

/// The version of the default domain's operators.
const OPERATORS: i64 = 17;

/// A graph with what is said of it.
///
/// # References
/// Open Neural Network Exchange, `onnx.proto` of IR version 8, where the numbers of the fields are from.
#[derive(Debug, Clone)]
pub struct Model {
    /// The name of the graph.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// The program that made it, and its version.
    pub producer: (&'static str, &'static str),
    /// The graph.
    pub graph: Graph,
    /// Names and texts for programs that use it.
    pub metadata: Vec<(String, String)>,
}

impl Model {
    /// The bytes of the file, a `ModelProto`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut model = Message::default();
        model.integer(1, FORMAT);
        model.text(2, self.producer.0);
        model.text(3, self.producer.1);
        model.text(6, &self.description);
        model.message(7, |graph| self.write_graph(graph));
        model.message(8, |operators| {
            operators.text(1, "");
            operators.integer(2, OPERATORS);
        });
        for (key, value) in &self.metadata {
            model.message(14, |entry| {
                entry.text(1, key);
                entry.text(2, value);
            });
        }
        model.into_bytes()
    }

    /// A `GraphProto`.
    fn write_graph(&self, out: &mut Message) {
        let graph = &self.graph;
        for (index, node) in graph.nodes.iter().enumerate() {
            out.message(1, |out| write_node(out, graph, index, node));
        }
        out.text(2, &self.name);
        for tensor in &graph.tensors {
            out.message(5, |out| write_tensor(out, graph, tensor));
        }
        for (field, ports) in [(11, &graph.inputs), (12, &graph.outputs)] {
            for port in ports {
                out.message(field, |out| write_port(out, graph, port));
            }
        }
    }
}

/// A `NodeProto`.
fn write_node(out: &mut Message, graph: &Graph, index: usize, node: &Node) {
    for input in &node.inputs {
        out.text(1, input.map_or("", |place| graph.name_at(place)));
    }
    for output in &node.outputs {
        out.text(2, graph.name_at(*output));
    }
    out.text(3, &format!("{}_{index}", node.operator));
    out.text(4, node.operator);
    for (name, attribute) in &node.attributes {
        out.message(5, |out| write_attribute(out, name, attribute));
    }
}

/// An `AttributeProto`.
fn write_attribute(out: &mut Message, name: &str, attribute: &Attribute) {
    const INTEGER: i64 = 2;
    const INTEGERS: i64 = 7;
    out.text(1, name);
    match attribute {
        Attribute::Integer(value) => {
            out.integer(3, *value);
            out.integer(20, INTEGER);
        }
        Attribute::Integers(values) => {
            for value in values {
                out.integer(8, *value);
            }
            out.integer(20, INTEGERS);
        }
    }
}

/// A `TensorProto`.
fn write_tensor(out: &mut Message, graph: &Graph, tensor: &Tensor) {
    for size in &tensor.sizes {
        out.integer(1, *size as i64);
    }
    out.integer(2, tensor.value.element().code());
    out.text(8, graph.name(tensor.value));
    out.bytes(9, &tensor.bytes);
}

/// A `ValueInfoProto` with its `TypeProto`.
fn write_port(out: &mut Message, graph: &Graph, port: &Port) {
    out.text(1, graph.name(port.value));
    out.message(2, |out| {
        out.message(1, |out| {
            out.integer(1, port.value.element().code());
            out.message(2, |out| {
                for dimension in &port.dimensions {
                    out.message(1, |out| match dimension {
                        Dimension::Fixed(size) => out.integer(1, *size as i64),
                        Dimension::Named(name) => out.text(2, name),
                    });
                }
            });
        });
    });
    out.text(3, &port.description);
}
