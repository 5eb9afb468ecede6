use super::{escaped, excerpt};

#[test]
fn an_excerpt_is_80_characters_of_the_input() {
    assert_eq!(excerpt("close"), "close");
    let most = "€".repeat(80);
    assert_eq!(excerpt(&most), most);
    assert_eq!(excerpt(&"€".repeat(81)), most.clone() + "…");
    assert_eq!(excerpt(&"€".repeat(1_000_000)), most + "…");
}

#[test]
fn what_moves_or_hides_text_is_escaped() {
    assert_eq!(excerpt("a\x1b[2Jb\r\n\0"), "a\\u{1b}[2Jb\\r\\n\\0");
    // A right-to-left override and a zero-width space.
    assert_eq!(escaped("x\u{202e}y\u{200b}"), "x\\u{202e}y\\u{200b}");
    // What is drawn stays as it is, quotes, backslashes and combining accents too.
    assert_eq!(escaped("\"C:\\a\" 'é' e\u{301}"), "\"C:\\a\" 'é' e\u{301}");
}
