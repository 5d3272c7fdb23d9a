//! The settings inside an exported PNG: one `iTXt` chunk with the share link.
//!
//! PNG specification, third edition, sections 5.3 (chunk layout) and 11.3.3.4 (iTXt).

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

/// Keyword of the chunk.
const KEYWORD: &[u8] = b"Kiln";
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The checksum of a chunk, without a table: it is 16 kB of program, and our chunks are short.
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);
/// Longest text that is read: longer ones are not ours.
const MAX_TEXT: usize = 4096;

/// Adds `text` to a PNG, right after its header. `None` if `png` is not a PNG.
pub fn insert(png: &[u8], text: &str) -> Option<Vec<u8>> {
    let (kind, end) = chunks(png).next().map(|chunk| (chunk.kind, chunk.end))?;
    if kind != b"IHDR" {
        return None;
    }
    let mut data = KEYWORD.to_vec();
    // Keyword's end, not compressed, no method, empty language and translated keyword.
    data.extend([0, 0, 0, 0, 0]);
    data.extend(text.as_bytes());
    let mut out = png[..end].to_vec();
    out.extend(u32::try_from(data.len()).ok()?.to_be_bytes());
    let mut checked = b"iTXt".to_vec();
    checked.extend(data);
    let crc = CRC.checksum(&checked);
    out.extend(checked);
    out.extend(crc.to_be_bytes());
    out.extend(&png[end..]);
    Some(out)
}

/// What a PNG says under our keyword.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// The text.
    Plain(String),
    /// The text as a zlib stream: editors that write a picture anew may compress it.
    Deflated(Vec<u8>),
    /// Something that is not to be read.
    Damaged,
}

/// What [`insert`] put into a PNG, wherever and however an editor wrote it anew (PNG specification,
/// 11.3.3: iTXt, tEXt and zTXt). `png` is the whole file.
pub fn find(png: &[u8]) -> Option<Text> {
    chunks(png).find_map(|chunk| {
        let rest = chunk.data.strip_prefix(KEYWORD)?.strip_prefix(&[0])?;
        let text = match chunk.kind {
            b"tEXt" => plain(rest),
            // A method, of which there is one.
            b"zTXt" => rest.strip_prefix(&[0]).map(deflated),
            b"iTXt" => international(rest),
            _ => return None,
        };
        Some(text.filter(|_| chunk.is_whole).unwrap_or(Text::Damaged))
    })
}

/// The text that [`insert`] put into a PNG, if it is there as it was put.
pub fn read(png: &[u8]) -> Option<String> {
    match find(png)? {
        Text::Plain(text) => Some(text),
        Text::Deflated(_) | Text::Damaged => None,
    }
}

/// Flag and method of compression, language, translated keyword, text.
fn international(rest: &[u8]) -> Option<Text> {
    let [flag, 0, rest @ ..] = rest else {
        return None;
    };
    let mut parts = rest.splitn(3, |&byte| byte == 0);
    let text = parts.nth(2)?;
    match flag {
        0 => plain(text),
        _ => Some(deflated(text)),
    }
}

fn plain(text: &[u8]) -> Option<Text> {
    (text.len() <= MAX_TEXT).then(|| String::from_utf8(text.to_vec()).ok().map(Text::Plain))?
}

fn deflated(stream: &[u8]) -> Text {
    match stream.len() <= MAX_TEXT {
        true => Text::Deflated(stream.to_vec()),
        false => Text::Damaged,
    }
}

struct Chunk<'a> {
    kind: &'a [u8],
    data: &'a [u8],
    /// Position after the checksum.
    end: usize,
    /// Whether the checksum is right.
    is_whole: bool,
}

/// The chunks of a PNG as far as they are there; none if it is not a PNG. Checksums are computed of
/// those that hold text, which are short.
fn chunks(png: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut at = if png.starts_with(SIGNATURE) {
        SIGNATURE.len()
    } else {
        png.len()
    };
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(png.get(at..at + 4)?.try_into().ok()?) as usize;
        let body = at + 4;
        let crc_at = body.checked_add(4)?.checked_add(length)?;
        let crc = u32::from_be_bytes(png.get(crc_at..crc_at.checked_add(4)?)?.try_into().ok()?);
        let kind = &png[body..body + 4];
        let is_text = matches!(kind, b"iTXt" | b"tEXt" | b"zTXt");
        at = crc_at + 4;
        Some(Chunk {
            kind,
            is_whole: !is_text || CRC.checksum(&png[body..crc_at]) == crc,
            data: &png[body + 4..crc_at],
            end: at,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A whole 1 x 1 black PNG.
    fn tiny() -> Vec<u8> {
        let mut png = SIGNATURE.to_vec();
        let parts: [(&[u8], &[u8]); 3] = [
            (b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]),
            (
                b"IDAT",
                &[0x78, 0x01, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01],
            ),
            (b"IEND", &[]),
        ];
        for (kind, data) in parts {
            png.extend((data.len() as u32).to_be_bytes());
            let checked = [kind, data].concat();
            png.extend(&checked);
            png.extend(CRC.checksum(&checked).to_be_bytes());
        }
        png
    }

    /// A chunk before the pixels.
    fn with_chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
        let checked = [kind, data].concat();
        let mut png = tiny();
        let chunk = [
            &(data.len() as u32).to_be_bytes(),
            &*checked,
            &CRC.checksum(&checked).to_be_bytes(),
        ];
        png.splice(33..33, chunk.concat());
        png
    }

    #[test]
    fn a_plain_png_has_no_text() {
        assert_eq!(find(&tiny()), None);
        assert_eq!(find(&with_chunk(b"tEXt", b"Comment\0Kiln\0")), None);
    }

    #[test]
    fn every_kind_of_text_is_found() {
        let link = Some(Text::Plain("#/detect?v=1".into()));
        assert_eq!(find(&with_chunk(b"tEXt", b"Kiln\0#/detect?v=1")), link);
        assert_eq!(
            find(&with_chunk(
                b"iTXt",
                b"Kiln\0\0\0en\0Brennofen\0#/detect?v=1"
            )),
            link
        );
        let deflated = Some(Text::Deflated(b"zlib\0data".into()));
        assert_eq!(find(&with_chunk(b"zTXt", b"Kiln\0\0zlib\0data")), deflated);
        assert_eq!(
            find(&with_chunk(b"iTXt", b"Kiln\0\x01\0\0\0zlib\0data")),
            deflated
        );
        assert_eq!(find(&with_chunk(b"iTXt", b"Kiln\0\0")), Some(Text::Damaged));
        assert_eq!(
            find(&with_chunk(
                b"tEXt",
                &[b"Kiln\0", &[b'x'; 5000][..]].concat()
            )),
            Some(Text::Damaged)
        );
        // At the end of a file as long as one likes.
        let mut png = with_chunk(b"iCCP", &[7; 400_000]);
        let text = with_chunk(b"tEXt", b"Kiln\0#/detect?v=1");
        let at = png.len() - 12;
        png.splice(at..at, text[33..33 + 29].iter().copied());
        assert_eq!(find(&png), link);
    }

    #[test]
    fn a_changed_text_is_not_read() {
        let mut png = insert(&tiny(), "#/detect?v=1").expect("a PNG");
        let at = png
            .windows(6)
            .position(|w| w == b"detect")
            .expect("the text");
        png[at] = b'X';
        assert_eq!(find(&png), Some(Text::Damaged));
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(text in "\\PC{0,200}") {
            prop_assert_eq!(find(&insert(&tiny(), &text).expect("a PNG")), Some(Text::Plain(text)));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..120) {
            let _ = find(&bytes);
            let _ = insert(&bytes, "x");
            let png = insert(&tiny(), "text").expect("a PNG");
            let _ = find(&png[..cut.min(png.len())]);
            let _ = find(&[SIGNATURE, &bytes].concat());
        }
    }
}
