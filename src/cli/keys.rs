//! The keys of a strategy, and their schema.

use super::output::Output;
use crate::error::Result;
use crate::settings::Key;
use crate::strategy::{self, KeyEntry, KeyGroup};
use serde_json::json;

/// Lists keys, in Markdown if that is wanted.
pub fn keys(prefix: &str, markdown: bool) -> Result<Output> {
    let groups = strategy::keys_of(prefix)?;
    let entries: Vec<&KeyEntry> = groups.iter().flat_map(|group| &group.keys).collect();
    let document = json!({ "keys": entries });
    let text = if markdown {
        page(&groups)
    } else {
        groups.iter().map(listed).collect::<Vec<_>>().join("\n")
    };
    Ok(Output {
        text: text.trim_end().to_owned(),
        document,
    })
}

/// The JSON Schema of a strategy, which is the same with `--json` and without.
pub fn schema() -> Output {
    let document = strategy::document();
    Output {
        text: format!("{document:#}"),
        document,
    }
}

/// What a section, its keys and their choices are, line by line.
fn listed(group: &KeyGroup) -> String {
    let mut text = heading(group) + "\n";
    for entry in &group.keys {
        text += &format!("\n  {}\n", entry.key.key);
        text += &indented(&entry.key.help);
        text += &indented(&facts(entry).join("; "));
        for choice in &entry.key.choices {
            let help = choice.help.as_deref().unwrap_or_default();
            text += &indented(&format!("{}: {help}", choice.name));
        }
    }
    text
}

fn heading(group: &KeyGroup) -> String {
    match group.section.as_str() {
        "" => group.help.clone(),
        section => format!("[{section}] {}", group.help),
    }
}

/// Unit, default, bound and condition of a key, those that it has.
fn facts(entry: &KeyEntry) -> Vec<String> {
    let default = entry.default_words();
    let mut facts: Vec<String> = Vec::new();
    facts.extend(entry.of_words().map(|names| format!("of {names}")));
    facts.extend(entry.key.unit.clone());
    facts.push(entry.key.bound.clone());
    if entry.key.required {
        facts.push(default);
    } else if !default.is_empty() {
        facts.push(format!("default {default}"));
    }
    facts.extend(condition(&entry.key));
    facts
}

fn condition(key: &Key) -> Option<String> {
    let words: Vec<String> = key.when.iter().map(|when| when.words()).collect();
    (!words.is_empty()).then(|| format!("only with {}", words.join(" and ")))
}

/// A paragraph, filled to the width of a terminal of 100 columns.
fn indented(text: &str) -> String {
    const WIDTH: usize = 96;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| format!("    {line}\n")).collect()
}

/// The page of all keys.
fn page(groups: &[KeyGroup]) -> String {
    let mut page = "# Keys of a strategy\n\n\
        <!-- Made by `deephedge keys --markdown > docs/strategy-keys.md`; a test compares. -->\n\n\
        Every key of a strategy file, with its unit, its default and what it must be. `deephedge keys PREFIX` lists those \
        that begin so: `deephedge keys training`, `deephedge keys optimizers.kfac`. `deephedge schema` prints the same as a \
        JSON Schema (draft 07), which [strategy.schema.json](strategy.schema.json) holds; editors with a TOML language server \
        that follows `#:schema` in the first line complete and check a strategy by it.\n"
        .to_owned();
    for group in groups {
        let title = match group.section.as_str() {
            "" => "Before all sections".to_owned(),
            section => format!("`{section}`"),
        };
        page += &format!("\n## {title}\n\n{}\n", group.help);
        if group.keys.is_empty() {
            continue;
        }
        page += "\n| key | unit | default | must be | |\n|---|---|---|---|---|\n";
        for entry in &group.keys {
            page += &row(entry, &group.section);
        }
    }
    page
}

fn row(entry: &KeyEntry, section: &str) -> String {
    let key = &entry.key;
    let name = key.key.strip_prefix(section).unwrap_or(&key.key);
    let name = name.trim_start_matches('.');
    let mut help = vec![key.help.clone()];
    help.extend(entry.of_words().map(|names| format!("Of {names}.")));
    for when in &key.when {
        help.push(format!("Only with `{}`.", when.words()));
    }
    let explained = key.choices.iter().filter_map(|choice| {
        let help = choice.help.as_deref()?;
        Some(format!("`{}`: {help}", choice.name))
    });
    help.extend(explained);
    let cells = [
        format!("`{name}`"),
        key.unit.clone().unwrap_or_default(),
        entry.default_words(),
        key.bound.clone(),
        help.join(" "),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    /// `deephedge keys --markdown > docs/strategy-keys.md` renews the page.
    #[test]
    fn the_page_of_keys_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/strategy-keys.md");
        let page = std::fs::read_to_string(path).unwrap();
        let made = super::keys("", true).unwrap().text;
        assert!(
            page == made + "\n",
            "docs/strategy-keys.md is of another version"
        );
    }
}
