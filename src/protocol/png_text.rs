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

/// The text that [`insert`] put into a PNG, if there is one and it is whole.
pub fn read(png: &[u8]) -> Option<String> {
    chunks(png)
        .filter(|chunk| chunk.kind == b"iTXt")
        .find_map(|chunk| {
            let text = chunk
                .data
                .strip_prefix(KEYWORD)?
                .strip_prefix(&[0, 0, 0, 0, 0])?;
            (text.len() <= MAX_TEXT).then(|| String::from_utf8(text.to_vec()).ok())?
        })
}

struct Chunk<'a> {
    kind: &'a [u8],
    data: &'a [u8],
    /// Position after the checksum.
    end: usize,
}

/// The chunks of a PNG up to the first that is damaged; none if it is not a PNG.
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
        if CRC.checksum(&png[body..crc_at]) != crc {
            return None;
        }
        at = crc_at + 4;
        Some(Chunk {
            kind: &png[body..body + 4],
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

    #[test]
    fn a_plain_png_has_no_text() {
        assert_eq!(read(&tiny()), None);
    }

    #[test]
    fn a_changed_text_is_not_read() {
        let mut png = insert(&tiny(), "#/detect?v=1").expect("a PNG");
        let at = png
            .windows(6)
            .position(|w| w == b"detect")
            .expect("the text");
        png[at] = b'X';
        assert_eq!(read(&png), None);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(text in "\\PC{0,200}") {
            prop_assert_eq!(read(&insert(&tiny(), &text).expect("a PNG")), Some(text));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..120) {
            let _ = read(&bytes);
            let _ = insert(&bytes, "x");
            let png = insert(&tiny(), "text").expect("a PNG");
            let _ = read(&png[..cut.min(png.len())]);
            let _ = read(&[SIGNATURE, &bytes].concat());
        }
    }
}
