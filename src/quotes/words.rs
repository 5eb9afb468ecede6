//! Distinct words of a column, of which a chain has few: dates, roots, names.

use std::collections::HashMap;

/// Words by their place of first appearance.
#[derive(Debug, Default)]
pub struct Words {
    words: Vec<String>,
    /// The row in which each stands first.
    rows: Vec<usize>,
    places: HashMap<String, u32>,
    last: Option<u32>,
}

impl Words {
    /// The place of a word; `row` is where it stands.
    pub fn place(&mut self, word: &str, row: usize) -> u32 {
        if let Some(last) = self.last.filter(|last| self.words[*last as usize] == word) {
            return last;
        }
        let place = match self.places.get(word) {
            Some(place) => *place,
            None => {
                let place = self.words.len() as u32;
                self.words.push(word.to_owned());
                self.rows.push(row);
                self.places.insert(word.to_owned(), place);
                place
            }
        };
        self.last = Some(place);
        place
    }

    /// The places here of the words of `others`.
    pub fn with(&mut self, others: &Self) -> Vec<u32> {
        let pairs = others.words.iter().zip(&others.rows);
        pairs.map(|(word, row)| self.place(word, *row)).collect()
    }

    /// The words in their order.
    pub fn list(&self) -> &[String] {
        &self.words
    }

    /// The row in which a word stands first.
    pub fn row(&self, place: usize) -> usize {
        self.rows[place]
    }
}
