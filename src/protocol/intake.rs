//! The checks of a picture file before anything decodes it.

use imagesize::ImageType;

use super::failure::Failure;
use super::picture::{MAX_MEGABYTES, MAX_MEGAPIXELS};

/// Looks at size, magic bytes and header of a file and says whether it is safe to decode.
///
/// # Errors
/// One of the sentences of [`Failure`] about files and pictures.
pub fn check(bytes: &[u8]) -> Result<(), Failure> {
    if bytes.is_empty() {
        return Err(Failure::EmptyFile);
    }
    let megabytes = bytes.len().div_ceil(1_000_000);
    if megabytes > MAX_MEGABYTES {
        return Err(Failure::FileTooLarge {
            megabytes,
            limit: MAX_MEGABYTES,
        });
    }
    match imagesize::image_type(bytes) {
        Ok(
            ImageType::Png | ImageType::Jpeg | ImageType::Webp | ImageType::Gif | ImageType::Bmp,
        ) => {}
        _ => return Err(Failure::NotAPicture),
    }
    let size = imagesize::blob_size(bytes).map_err(|_| Failure::DamagedPicture)?;
    if size.width == 0 || size.height == 0 {
        return Err(Failure::DamagedPicture);
    }
    if size.width.saturating_mul(size.height) > MAX_MEGAPIXELS * 1_000_000 {
        return Err(Failure::TooManyPixels {
            width: size.width,
            height: size.height,
            limit: MAX_MEGAPIXELS,
        });
    }
    Ok(())
}

/// Whether the file of a picture reaches its own end: what was cut off by a broken download or a full
/// disk does not, though its beginning may well decode. Bytes after the end are fine. No decoder is
/// needed: only the lengths that a file states are followed. What is no picture is not whole.
pub fn is_whole(bytes: &[u8]) -> bool {
    let ends = match imagesize::image_type(bytes) {
        Ok(ImageType::Png) => png_ends(bytes),
        Ok(ImageType::Jpeg) => jpeg_ends(bytes),
        Ok(ImageType::Webp) => webp_ends(bytes),
        Ok(ImageType::Gif) => gif_ends(bytes),
        Ok(ImageType::Bmp) => bmp_ends(bytes),
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
    match imagesize::image_type(bytes) {
        Ok(ImageType::Png) => png_moves(bytes),
        // The flag for animation in the extended header.
        Ok(ImageType::Webp) => {
            bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 2 != 0)
        }
        Ok(ImageType::Gif) => gif_frames(bytes) > 1,
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The first bytes of a PNG of that size.
    fn png_header(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn each_bad_file_has_its_sentence() {
        assert_eq!(check(b""), Err(Failure::EmptyFile));
        assert_eq!(
            check(b"just some text, whatever the name says"),
            Err(Failure::NotAPicture)
        );
        assert_eq!(
            check(&png_header(12_000, 12_000)),
            Err(Failure::TooManyPixels {
                width: 12_000,
                height: 12_000,
                limit: 64
            })
        );
        assert_eq!(check(&png_header(0, 10)), Err(Failure::DamagedPicture));
        assert_eq!(check(&png_header(1, 1)[..20]), Err(Failure::DamagedPicture));
        assert_eq!(check(&png_header(640, 480)), Ok(()));
    }

    #[test]
    fn a_file_of_many_bytes_is_refused_before_its_header_is_read() {
        let bytes = vec![0; 65_000_000];
        assert_eq!(
            check(&bytes),
            Err(Failure::FileTooLarge {
                megabytes: 65,
                limit: 64
            })
        );
    }

    /// Files that reach their end, by name: one of each format, and kinds that are easily taken for
    /// cut.
    fn whole_files() -> Vec<(&'static str, Vec<u8>)> {
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
                b"RIFF\xff\xff\xff\xffWEBPVP8 ",
            ]),
            rest in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [magic, &rest].concat();
            let _ = check(&bytes);
            let _ = (moves(&bytes), exif(&bytes));
            let _ = is_whole(&bytes);
        }

        #[test]
        fn no_damaged_file_panics(file in 0usize..8, at: prop::sample::Index, byte: u8) {
            let (_, mut bytes) = whole_files().swap_remove(file);
            let at = at.index(bytes.len().min(600));
            bytes[at] = byte;
            let _ = is_whole(&bytes);
        }

        #[test]
        fn no_damaged_header_panics(at in 0usize..33, byte: u8, width: u32, height: u32) {
            let mut bytes = png_header(width, height);
            bytes[at] = byte;
            let _ = check(&bytes);
        }
    }
}
