//! What a picture file says of itself: its format, whether it reaches its end, whether it moves, how the
//! camera was held. Only magic bytes, headers and stated lengths are looked at; no decoder is needed.

/// What a file is, by its first bytes; its name says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
pub enum Format {
    #[strum(to_string = "PNG")]
    Png,
    #[strum(to_string = "JPEG")]
    Jpeg,
    #[strum(to_string = "WebP")]
    WebP,
    #[strum(to_string = "GIF")]
    Gif,
    #[strum(to_string = "BMP")]
    Bmp,
    #[strum(to_string = "AVIF")]
    Avif,
    #[strum(to_string = "HEIC")]
    Heic,
    #[strum(to_string = "JPEG XL")]
    JpegXl,
    #[strum(to_string = "TIFF")]
    Tiff,
    #[strum(to_string = "SVG")]
    Svg,
    #[strum(to_string = "PDF")]
    Pdf,
    #[strum(to_string = "Photoshop (PSD)")]
    Photoshop,
}

/// The format of a file, if it is one that has to do with pictures.
pub fn format(bytes: &[u8]) -> Option<Format> {
    /// Sizes of the second header of a BMP: `BM` alone also begins texts.
    const BMP_HEADERS: [u32; 8] = [12, 16, 40, 52, 56, 64, 108, 124];
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    let bmp = || {
        let header = at(bytes, 14).map(u32::from_le_bytes);
        header.is_none_or(|size| BMP_HEADERS.contains(&size))
    };
    Some(match bytes {
        _ if begins(b"\x89PNG\r\n\x1a\n") => Format::Png,
        _ if begins(b"\xff\xd8\xff") => Format::Jpeg,
        _ if begins(b"RIFF") && at(bytes, 8) == Some(*b"WEBP") => Format::WebP,
        _ if begins(b"GIF87a") || begins(b"GIF89a") => Format::Gif,
        _ if begins(b"BM") && bmp() => Format::Bmp,
        _ if begins(b"\xff\x0a") || begins(b"\0\0\0\x0cJXL \r\n\x87\n") => Format::JpegXl,
        _ if begins(b"II*\0") || begins(b"MM\0*") => Format::Tiff,
        _ if begins(b"II+\0") || begins(b"MM\0+") => Format::Tiff,
        _ if begins(b"%PDF-") => Format::Pdf,
        _ if begins(b"8BPS") => Format::Photoshop,
        _ => return by_brand(bytes).or_else(|| is_svg(bytes).then_some(Format::Svg)),
    })
}

/// AVIF or HEIC: both are boxes in a container that says which in a list of brands. The first brand may
/// be one of the container's own.
fn by_brand(bytes: &[u8]) -> Option<Format> {
    let first = boxes(bytes).next()?;
    if first.kind != *b"ftyp" {
        return None;
    }
    // The version, at 4, is none of them whatever it says.
    let (brands, _) = first.inside.as_chunks::<4>();
    brands.iter().find_map(|brand| match brand {
        b"avif" | b"avis" => Some(Format::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Some(Format::Heic)
        }
        _ => None,
    })
}

/// Whether the first element of a text is `svg`.
fn is_svg(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).to_ascii_lowercase();
    let mut text = head.trim_start_matches('\u{feff}').trim_start();
    // Declarations and comments go before it.
    while text.starts_with("<?") || text.starts_with("<!") {
        let end = if text.starts_with("<!--") { "-->" } else { ">" };
        match text.split_once(end) {
            Some((_, rest)) => text = rest.trim_start(),
            None => return false,
        }
    }
    text.starts_with("<svg")
}

/// A box of the container of AVIF and HEIC.
struct MediaBox<'a> {
    kind: [u8; 4],
    inside: &'a [u8],
    /// Whether the file has all of it.
    whole: bool,
}

/// The boxes that lie one after the other. One that states more bytes than there are has what is left.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = MediaBox<'_>> {
    std::iter::from_fn(move || {
        let kind: [u8; 4] = at(bytes, 4)?;
        let (head, size) = match u32::from_be_bytes(at(bytes, 0)?) {
            // As far as the end of the file.
            0 => (8, bytes.len()),
            // Longer than fits four bytes.
            1 => {
                let size = u64::from_be_bytes(at(bytes, 8)?);
                (16, usize::try_from(size).unwrap_or(usize::MAX))
            }
            size => (8, size as usize),
        };
        let end = size.min(bytes.len());
        let inside = bytes.get(head..end)?;
        bytes = &bytes[end..];
        Some(MediaBox {
            kind,
            inside,
            whole: end == size,
        })
    })
}

/// The largest width and height that an AVIF or HEIC states: its tiles and its small picture have sizes
/// of their own.
pub fn media_size(bytes: &[u8]) -> Option<[usize; 2]> {
    let inside = |bytes, kind| Some(boxes(bytes).find(|found| found.kind == kind)?.inside);
    // `meta` begins with version and flags, as do the sizes.
    let meta = inside(bytes, *b"meta")?.get(4..)?;
    let properties = inside(inside(meta, *b"iprp")?, *b"ipco")?;
    let sizes = boxes(properties).filter(|found| found.kind == *b"ispe");
    let sides = sizes.filter_map(|found| {
        let side = |place| Some(u32::from_be_bytes(at(found.inside, place)?) as usize);
        Some([side(4)?, side(8)?])
    });
    sides.max_by_key(|[width, height]| width.saturating_mul(*height))
}

/// Whether the file of a picture reaches its own end: what was cut off by a broken download or a full
/// disk does not, though its beginning may well decode. Bytes after the end are fine. No decoder is
/// needed: only the lengths that a file states are followed. What is no picture is not whole.
pub fn is_whole(bytes: &[u8]) -> bool {
    let ends = match format(bytes) {
        Some(Format::Png) => png_ends(bytes),
        Some(Format::Jpeg) => jpeg_ends(bytes),
        Some(Format::WebP) => webp_ends(bytes),
        Some(Format::Gif) => gif_ends(bytes),
        Some(Format::Bmp) => bmp_ends(bytes),
        Some(Format::Avif | Format::Heic) => Some(media_ends(bytes)),
        _ => None,
    };
    ends == Some(true)
}

/// `N` bytes at a place, if they are there.
fn at<const N: usize>(bytes: &[u8], place: usize) -> Option<[u8; N]> {
    let end = place.checked_add(N)?;
    bytes.get(place..end)?.try_into().ok()
}

/// JPEG: segments as far as the marker of the end. What a segment holds, such as the small picture of
/// a camera with an end of its own, is passed by. `None` where the bytes ran out.
fn jpeg_ends(bytes: &[u8]) -> Option<bool> {
    let mut place = 2;
    let mut scans = 0;
    loop {
        // A marker is an FF before anything but 00, which stands for an FF of the scan's data, and FF,
        // which fills up.
        let [first, second] = at(bytes, place)?;
        if first != 0xff || matches!(second, 0x00 | 0xff) {
            place += 1;
            continue;
        }
        place += 2;
        match second {
            0xd9 => return Some(scans > 0),
            // Restarts and the like have no length.
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                scans += usize::from(second == 0xda);
                place += usize::from(u16::from_be_bytes(at(bytes, place)?));
            }
        }
    }
}

/// PNG: chunks as far as the last one, with its checksum.
fn png_ends(bytes: &[u8]) -> Option<bool> {
    let mut place = 8_usize;
    loop {
        let length = u32::from_be_bytes(at(bytes, place)?) as usize;
        let kind: [u8; 4] = at(bytes, place + 4)?;
        // Length, kind and checksum are four bytes each.
        place = place.checked_add(length)?.checked_add(12)?;
        if kind == *b"IEND" {
            return Some(place <= bytes.len());
        }
    }
}

/// GIF: blocks as far as the trailer.
fn gif_ends(bytes: &[u8]) -> Option<bool> {
    gif_blocks(bytes, |_| {})
}

fn gif_frames(bytes: &[u8]) -> usize {
    let mut frames = 0;
    gif_blocks(bytes, |kind| frames += usize::from(kind == GIF_FRAME));
    frames
}

/// The block of a GIF that is a frame.
const GIF_FRAME: u8 = 0x2c;

/// Calls `each` with the kind of each block of a GIF. Whether the last is the trailer; `None` where the
/// bytes ran out.
fn gif_blocks(bytes: &[u8], mut each: impl FnMut(u8)) -> Option<bool> {
    /// Bytes of the table of colours that flags announce.
    fn table(flags: u8) -> usize {
        match flags & 0x80 {
            0 => 0,
            _ => 3 << ((flags & 7) + 1),
        }
    }
    let [flags] = at(bytes, 10)?;
    let mut place = 13 + table(flags);
    loop {
        let [kind] = at(bytes, place)?;
        each(kind);
        place += match kind {
            0x3b => return Some(true),
            // An extension has a label, a frame its place, its colours and the width of its codes.
            0x21 => 2,
            GIF_FRAME => {
                let [flags] = at(bytes, place + 9)?;
                11 + table(flags)
            }
            // Some writers leave an empty block more than there should be.
            0 => {
                place += 1;
                continue;
            }
            _ => return Some(false),
        };
        loop {
            let [length] = at(bytes, place)?;
            place += 1 + usize::from(length);
            if length == 0 {
                break;
            }
        }
    }
}

/// WebP: as many bytes as its container says.
fn webp_ends(bytes: &[u8]) -> Option<bool> {
    let size = u32::from_le_bytes(at(bytes, 4)?) as usize;
    Some(bytes.len() - 8 >= size)
}

/// AVIF and HEIC: every box as long as it says, and among them what describes pictures and their data.
fn media_ends(bytes: &[u8]) -> bool {
    let (mut described, mut data) = (false, false);
    for found in boxes(bytes) {
        // What is no name is no box: bytes after the end.
        if !found.kind.iter().all(|byte| (0x20..0x7f).contains(byte)) {
            break;
        }
        if !found.whole {
            return described && data && found.kind != *b"mdat";
        }
        described |= matches!(&found.kind, b"meta" | b"moov");
        data |= found.kind == *b"mdat";
    }
    described && data
}

/// BMP: all rows of its pixels. The size that its header states is often wrong, and asked only where
/// the pixels are packed.
fn bmp_ends(bytes: &[u8]) -> Option<bool> {
    let stated = u32::from_le_bytes(at(bytes, 2)?) as usize;
    let offset = u32::from_le_bytes(at(bytes, 10)?) as usize;
    let (width, height, bits, packed) = match u32::from_le_bytes(at(bytes, 14)?) {
        // The header of OS/2.
        12 => {
            let side = |place| Some(usize::from(u16::from_le_bytes(at(bytes, place)?)));
            (side(18)?, side(20)?, side(24)?, false)
        }
        _ => {
            let side = |place| Some(i32::from_le_bytes(at(bytes, place)?).unsigned_abs() as usize);
            let bits = usize::from(u16::from_le_bytes(at(bytes, 28)?));
            // 0 is plain, 3 and 6 have masks for the channels.
            let packed = !matches!(u32::from_le_bytes(at(bytes, 30)?), 0 | 3 | 6);
            (side(18)?, side(22)?, bits, packed)
        }
    };
    if packed {
        return Some(bytes.len() >= stated);
    }
    // A row fills whole words of four bytes.
    let row = width.checked_mul(bits)?.div_ceil(32).checked_mul(4)?;
    let end = row.checked_mul(height)?.checked_add(offset)?;
    Some(bytes.len() >= end)
}

/// Whether the picture moves: more than one frame is in the file.
pub fn moves(bytes: &[u8]) -> bool {
    match format(bytes) {
        Some(Format::Png) => png_moves(bytes),
        // The flag for animation in the extended header.
        Some(Format::WebP) => {
            bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 2 != 0)
        }
        Some(Format::Gif) => gif_frames(bytes) > 1,
        Some(Format::Avif) => bytes.get(8..12) == Some(b"avis"),
        _ => false,
    }
}

/// APNG: the chunk of the animation stands before the pixels.
fn png_moves(bytes: &[u8]) -> bool {
    let mut place = 8_usize;
    while let (Some(length), Some(kind)) = (at(bytes, place), at::<4>(bytes, place + 4)) {
        match &kind {
            b"acTL" => return true,
            b"IDAT" => return false,
            _ => {
                place = place
                    .saturating_add(u32::from_be_bytes(length) as usize)
                    .saturating_add(12)
            }
        }
    }
    false
}

/// What a camera wrote into a JPEG about itself: the EXIF data, from its TIFF header on.
pub fn exif(bytes: &[u8]) -> Option<&[u8]> {
    let mut place = 2;
    loop {
        let [0xff, kind, high, low] = at(bytes, place)? else {
            return None;
        };
        let end = place + 2 + usize::from(u16::from_be_bytes([high, low]));
        let segment = bytes.get(place + 4..end)?;
        match (kind, segment.strip_prefix(b"Exif\0\0")) {
            (0xe1, Some(exif)) => return Some(exif),
            // The scan begins.
            (0xda, _) => return None,
            _ => place = end,
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The first bytes of a PNG of that size.
    pub fn png_header(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    /// Files that reach their end, by name: one of each format, and kinds that are easily taken for
    /// cut.
    pub fn whole_files() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            (
                "jpeg",
                include_bytes!("../../public/samples/cat.jpg").to_vec(),
            ),
            ("jpeg of a camera", camera_jpeg()),
            ("gif", gif()),
            ("bmp", bmp(12, 8)),
            ("bmp of os/2", bmp_os2()),
            ("packed bmp", packed_bmp()),
            ("webp", webp()),
            ("png", whole_png()),
            (
                "avif",
                include_bytes!("../../tests/cases/cat.avif").to_vec(),
            ),
        ]
    }

    /// Two scans with restarts, fill bytes and an FF in the data, after a segment that holds a whole
    /// small picture.
    fn camera_jpeg() -> Vec<u8> {
        let small = b"Exif\0\0\xff\xd8\xff\xda\0\x02data\xff\xd9";
        let mut bytes = b"\xff\xd8\xff\xe1".to_vec();
        bytes.extend((small.len() as u16 + 2).to_be_bytes());
        bytes.extend(small);
        bytes.extend(b"\xff\xc2\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0");
        bytes.extend(b"\xff\xda\0\x04\0\0one\xff\0scan\xff\xd0more");
        bytes.extend(b"\xff\xff\xc4\0\x03\0\xff\xda\0\x04\0\0two\xff\xd9");
        bytes
    }

    /// Two frames, a table of colours for all and one for the second, a comment.
    fn gif() -> Vec<u8> {
        let mut bytes = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
        bytes.extend(b"\x21\xfe\x03;;;\0");
        bytes.extend(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0");
        bytes.extend(b"\x2c\0\0\0\0\x01\0\x01\0\x80\0\0\0\x01\x01\x01\x02\x02\x44\x01\0;");
        bytes
    }

    fn bmp_header(stated: u32, width: i32, height: i32, packed: u32) -> Vec<u8> {
        let mut bytes = b"BM".to_vec();
        for word in [
            stated,
            0,
            54,
            40,
            width as u32,
            height as u32,
            1 | 24 << 16,
            packed,
        ] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.resize(54, 0);
        bytes
    }

    /// Its header states no size, and its rows are filled up.
    fn bmp(width: i32, height: i32) -> Vec<u8> {
        let mut bytes = bmp_header(0, width + 1, -height, 0);
        let row = (width as usize + 1) * 3;
        bytes.resize(54 + row.next_multiple_of(4) * height as usize, 7);
        bytes
    }

    fn bmp_os2() -> Vec<u8> {
        let mut bytes = b"BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0".to_vec();
        bytes.extend(b"\x02\0\x02\0\x01\0\x18\0");
        bytes.resize(26 + 16, 7);
        bytes
    }

    fn packed_bmp() -> Vec<u8> {
        let mut bytes = bmp_header(70, 900, 900, 1);
        bytes.resize(70, 0);
        bytes
    }

    fn webp() -> Vec<u8> {
        b"RIFF\x10\0\0\0WEBPVP8L\x04\0\0\0\x2f\0\0\0".to_vec()
    }

    fn whole_png() -> Vec<u8> {
        let mut bytes = png_header(3, 2);
        bytes.extend(b"\0\0\0\x08IDATpixels..crc_\0\0\0\0IENDcrc_");
        bytes
    }

    #[test]
    fn what_reaches_its_end_is_whole_whatever_follows() {
        for (name, mut bytes) in whole_files() {
            assert!(is_whole(&bytes), "{name}");
            bytes.extend(b"\xff\xd8 of a second picture");
            assert!(is_whole(&bytes), "{name} and more");
        }
    }

    #[test]
    fn no_part_of_a_file_is_whole() {
        for (name, bytes) in whole_files() {
            let step = bytes.len() / 4000 + 1;
            let near_end = bytes.len().saturating_sub(40)..bytes.len();
            for length in (0..bytes.len()).step_by(step).chain(near_end) {
                assert!(!is_whole(&bytes[..length]), "{length} bytes of {name}");
            }
        }
    }

    #[test]
    fn broken_downloads_are_not_whole() {
        assert!(!is_whole(include_bytes!(
            "../../tests/cases/cut-at-70-percent.jpg"
        )));
        assert!(!is_whole(include_bytes!(
            "../../tests/cases/cut-last-two-bytes.jpg"
        )));
    }

    #[test]
    fn what_is_no_picture_is_not_whole() {
        assert!(!is_whole(b""));
        assert!(!is_whole(b"just some text, whatever the name says"));
        // A JPEG without a scan.
        assert!(!is_whole(b"\xff\xd8\xff\xfe\0\x02\xff\xd9"));
    }

    #[test]
    fn what_moves_is_known_by_its_frames() {
        // A GIF of 1 x 1 pixels with two colours; a frame of it.
        let start = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".as_slice();
        let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0".as_slice();
        assert!(!moves(&[start, frame, b"\x3b"].concat()));
        assert!(moves(&[start, frame, frame, b"\x3b"].concat()));
        let png = png_header(1, 1);
        assert!(!moves(&[&*png, b"\0\0\0\0IDAT\0\0\0\0"].concat()));
        assert!(moves(
            &[&*png, b"\0\0\0\x08acTL\0\0\0\x02\0\0\0\0\0\0\0\0"].concat()
        ));
        let webp = |flags: u8| {
            let start = b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0".as_slice();
            [start, &[flags, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat()
        };
        assert!(moves(&webp(2)) && !moves(&webp(0x10)));
    }

    #[test]
    fn exif_data_is_found_in_its_segment() {
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xe1\0\x0aExif\0\0II\xff\xda\0\x02";
        assert_eq!(exif(jpeg), Some(b"II".as_slice()));
        assert_eq!(exif(&jpeg[..12]), None);
        assert_eq!(exif(b"\xff\xd8\xff\xda\0\x02\xff\xe1\0\x08Exif\0\0"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            magic in prop::sample::select(vec![
                &b""[..], b"\xff\xd8\xff", b"\xff\xd8\xff\xe1", b"RIFF\0\0\0\0WEBPVP8X", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM",
                b"RIFF\xff\xff\xff\xffWEBPVP8 ", b"\0\0\0\x10ftypavif\0\0\0\0", b"<!--",
            ]),
            rest in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [magic, &rest].concat();
            let _ = (format(&bytes), is_whole(&bytes), moves(&bytes), exif(&bytes));
        }

        #[test]
        fn no_damaged_file_panics(file in 0..whole_files().len(), at: prop::sample::Index, byte: u8) {
            let (_, mut bytes) = whole_files().swap_remove(file);
            let at = at.index(bytes.len().min(600));
            bytes[at] = byte;
            let _ = (is_whole(&bytes), moves(&bytes), exif(&bytes), media_size(&bytes));
        }
    }
}
