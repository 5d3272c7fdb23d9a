//! What is said to the terminal. A reader that has gone away, such as `head`, is no reason to panic, as
//! `println!` does: what is to be written to files still is.

use std::ffi::OsStr;
use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether standard output carries a picture: then text goes to standard error.
static CARRIES_PICTURE: AtomicBool = AtomicBool::new(false);

/// Leaves standard output to a picture.
pub fn leave_to_picture() {
    CARRIES_PICTURE.store(true, Ordering::Relaxed);
}

/// Whether nobody reads standard output any more.
static READER_IS_GONE: AtomicBool = AtomicBool::new(false);

/// Whether a line found no reader.
pub fn reader_is_gone() -> bool {
    READER_IS_GONE.load(Ordering::Relaxed)
}

/// A line of the answer.
pub fn line(text: impl Display) {
    if CARRIES_PICTURE.load(Ordering::Relaxed) {
        return note(text);
    }
    // At once, so that a line is there when the picture after it takes long.
    let mut out = io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        READER_IS_GONE.store(true, Ordering::Relaxed);
    }
}

/// A line beside the answer: progress, notices, failures.
pub fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A path as one line of text that no other path has: what would not be seen, or would move the cursor,
/// and bytes that are no text are written as escapes.
pub fn shown(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            // Windows has backslashes between folders, and no odd names.
            let escapes = c == '\\' && !cfg!(windows);
            if escapes || is_unseen(c) {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Characters that print as nothing, as another one or as an order to the terminal.
fn is_unseen(c: char) -> bool {
    let invisible = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}');
    c.is_control() || invisible || (c.is_whitespace() && c != ' ')
}

/// A path in JSON: as it is, where it is text, because JSON has escapes of its own.
pub fn in_json(path: &Path) -> String {
    match OsStr::to_str(path.as_os_str()) {
        Some(text) => text.into(),
        None => shown(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_told_apart() {
        for (name, text) in [
            ("a photo.jpg", "a photo.jpg"),
            ("照片.jpg", "照片.jpg"),
            ("a\nb.jpg", r"a\nb.jpg"),
            (r"a\nb.jpg", r"a\\nb.jpg"),
            ("a\u{1b}[31m.jpg", r"a\u{1b}[31m.jpg"),
            ("a\u{202e}gpj.jpg", r"a\u{202e}gpj.jpg"),
            ("a\u{a0}b.jpg", r"a\u{a0}b.jpg"),
        ] {
            assert_eq!(shown(Path::new(name)), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_are_seen() {
        use std::os::unix::ffi::OsStrExt as _;
        let shown = |bytes| shown(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(shown(b"a\xffb"), r"a\xffb");
        assert_ne!(shown(b"a\xffb"), shown(b"a\xfeb"));
    }
}
