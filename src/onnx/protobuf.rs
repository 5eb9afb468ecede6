//! The wire format of protocol buffers, for writing: a message is its fields one after another, each a tag and a value.
//!
//! # References
//! Protocol Buffers, "Encoding": variable-width integers of seven bits a byte, the least significant first; a tag is the number of the
//! field times 8 plus the type of what follows, 0 for an integer and 2 for so many bytes.

/// An integer of variable width.
const INTEGER: u64 = 0;
/// A length and so many bytes.
const BYTES: u64 = 2;

/// A message as its bytes so far. Fields that are written are there even where they have the value that a missing one would have.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn tag(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    /// An integer; of a negative one the 64 bits of its two's complement.
    pub fn integer(&mut self, field: u64, value: i64) {
        self.tag(field, INTEGER);
        self.varint(value as u64);
    }

    /// Bytes, whatever they are.
    pub fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.tag(field, BYTES);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A text.
    pub fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    /// A message within this one.
    pub fn message(&mut self, field: u64, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes(field, &inner.0);
    }
}
