use super::protobuf::Message;
use super::{Dimension, Element, Graph, Model};

/// The examples of the specification: 150 in field 1 is 08 96 01, "testing" in field 2 is 12 07 and its letters, and a message that has
/// the first of them in field 3 is 1a 03 08 96 01.
///
/// # References
/// Protocol Buffers, "Encoding": "A Simple Message", "Length-Delimited Records", "Submessages".
#[test]
fn messages_are_those_of_the_specification() {
    let bytes = |fill: &dyn Fn(&mut Message)| {
        let mut message = Message::default();
        fill(&mut message);
        message.into_bytes()
    };
    assert_eq!(bytes(&|m| m.integer(1, 150)), [0x08, 0x96, 0x01]);
    assert_eq!(
        bytes(&|m| m.text(2, "testing")),
        [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]
    );
    assert_eq!(
        bytes(&|m| m.message(3, |inner| inner.integer(1, 150))),
        [0x1a, 0x03, 0x08, 0x96, 0x01]
    );
    // Two's complement in ten bytes, and a field of more than one byte of tag.
    let mut negative = vec![0x08, 0xfe];
    negative.extend([0xff; 8]);
    negative.push(0x01);
    assert_eq!(bytes(&|m| m.integer(1, -2)), negative);
    assert_eq!(bytes(&|m| m.integer(20, 0)), [0xa0, 0x01, 0x00]);
}

/// y = x + 1, written by hand from the numbers of the fields.
#[test]
fn a_small_model_is_these_bytes() {
    let mut graph = Graph::default();
    let shape = vec![Dimension::Named("b")];
    let x = graph.input("x", Element::Double, shape.clone(), "");
    let sum = graph.shifted(x, 1.0);
    graph.output("y", sum, shape, "");
    let model = Model {
        name: "g".into(),
        description: String::new(),
        producer: ("p", "v"),
        graph,
        metadata: vec![("k".into(), "w".into())],
    };
    let port = |name: u8| {
        let mut port = vec![0x0a, 1, name, 0x12, 11];
        port.extend([0x0a, 9, 0x08, 11, 0x12, 5, 0x0a, 3, 0x12, 1, b'b']);
        port.extend([0x1a, 0]);
        port
    };
    let field = |tag: u8, bytes: &[u8]| [&[tag, bytes.len() as u8], bytes].concat();
    let mut inner = Vec::new();
    let mut within = |tag: u8, bytes: &[u8]| inner.extend(field(tag, bytes));
    within(
        0x0a,
        b"\x0a\x01x\x0a\x07value_1\x12\x07value_2\x1a\x05Add_0\x22\x03Add",
    );
    within(
        0x0a,
        b"\x0a\x07value_2\x12\x01y\x1a\x0aIdentity_1\x22\x08Identity",
    );
    within(0x12, b"g");
    within(0x2a, b"\x10\x0b\x42\x07value_1\x4a\x08\0\0\0\0\0\0\xf0\x3f");
    within(0x5a, &port(b'x'));
    within(0x62, &port(b'y'));
    // The graph is the one field of more than 127 bytes: its length is 1 · 128 + 9.
    assert_eq!(inner.len(), 137);
    let whole = [
        &[0x08, 8][..],
        &field(0x12, b"p"),
        &field(0x1a, b"v"),
        &field(0x32, b""),
        &[0x3a, 0x89, 0x01],
        &inner,
        &field(0x42, b"\x0a\0\x10\x11"),
        &field(0x72, b"\x0a\x01k\x12\x01w"),
    ];
    let whole = whole.concat();
    assert_eq!(model.to_bytes(), whole);
}

/// A constant that is there already is not written again, whichever node asks for it.
#[test]
fn equal_constants_are_one() {
    let mut graph = Graph::default();
    assert_eq!(graph.number(2.0), graph.number(2.0));
    assert_ne!(graph.number(2.0), graph.number(-2.0));
    let float = graph.tensor(Element::Float, &[], &[2.0]);
    assert_ne!(graph.number(2.0), float);
    assert_ne!(graph.integers(&[2]), graph.number(2.0));
}
