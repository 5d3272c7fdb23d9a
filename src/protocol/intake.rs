//! The checks of a picture file before anything decodes it: page and command line share them.

use super::failure::Failure;
use super::picture::{MAX_MEGABYTES, MAX_MEGAPIXELS};
use super::picture_file::{Format, format, media_size};

/// Looks at size, magic bytes and header of a file and says whether it is safe to decode with decoders
/// of our own: PNG, JPEG, WebP, GIF and BMP.
///
/// # Errors
/// One of the sentences of [`Failure`] about files and pictures.
pub fn check(bytes: &[u8]) -> Result<(), Failure> {
    check_as(bytes, |_| false)
}

/// The same before a browser decodes it: some browsers read AVIF and HEIC, too. Whether this one does
/// shows when it tries; if not, [`unread`] has the sentence.
///
/// # Errors
/// One of the sentences of [`Failure`] about files and pictures.
pub fn check_for_browser(bytes: &[u8]) -> Result<(), Failure> {
    check_as(bytes, |format| {
        matches!(format, Format::Avif | Format::Heic)
    })
}

/// What to say of a file that could not be decoded: formats of the same kind as ours by their names.
pub fn unread(bytes: &[u8]) -> Failure {
    match format(bytes) {
        Some(Format::Png | Format::Jpeg | Format::WebP | Format::Gif | Format::Bmp) => {
            Failure::DamagedPicture
        }
        Some(format) => Failure::UnreadFormat {
            format: format.to_string(),
        },
        None => Failure::NotAPicture,
    }
}

fn check_as(bytes: &[u8], others: impl Fn(Format) -> bool) -> Result<(), Failure> {
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
    let size = match format(bytes) {
        Some(Format::Png | Format::Jpeg | Format::WebP | Format::Gif | Format::Bmp) => {
            let size = imagesize::blob_size(bytes).map_err(|_| Failure::DamagedPicture)?;
            Some([size.width, size.height])
        }
        // Where no size is found, the browser's decoder has its own limits.
        Some(format) if others(format) => media_size(bytes),
        _ => return Err(unread(bytes)),
    };
    match size {
        Some([width, height]) if width == 0 || height == 0 => Err(Failure::DamagedPicture),
        Some([width, height]) if width.saturating_mul(height) > MAX_MEGAPIXELS * 1_000_000 => {
            Err(Failure::TooManyPixels {
                width,
                height,
                limit: MAX_MEGAPIXELS,
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::picture_file::tests::{png_header, whole_files};
    use proptest::prelude::*;

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
    fn formats_that_are_not_read_are_called_by_their_names() {
        let box_of = |kind: &[u8; 4], inside: &[u8]| {
            let size = (inside.len() as u32 + 8).to_be_bytes();
            [&size, &kind[..], inside].concat()
        };
        let sizes = |sides: [u32; 2]| {
            let sides = sides.map(u32::to_be_bytes).concat();
            let size = box_of(b"ispe", &[&[0; 4], &*sides].concat());
            let properties = box_of(b"iprp", &box_of(b"ipco", &size));
            box_of(b"meta", &[&[0; 4], &*properties].concat())
        };
        let avif = [box_of(b"ftyp", b"avif\0\0\0\0"), sizes([640, 480])].concat();
        let heic = [box_of(b"ftyp", b"mif1\0\0\0\0mif1heic"), sizes([640, 480])].concat();
        let huge = [box_of(b"ftyp", b"avif\0\0\0\0"), sizes([20_000, 20_000])].concat();
        for (bytes, name, by_browser) in [
            (&avif[..], "AVIF", true),
            (&heic, "HEIC", true),
            (include_bytes!("../../tests/cases/cat.avif"), "AVIF", true),
            (b"\xff\x0a...", "JPEG XL", false),
            (b"II*\0...", "TIFF", false),
            (b"%PDF-1.7", "PDF", false),
            (
                b"<?xml version=\"1.0\"?>\n<!-- drawn --><svg>",
                "SVG",
                false,
            ),
        ] {
            let unread = Failure::UnreadFormat {
                format: name.into(),
            };
            assert_eq!(check(bytes), Err(unread.clone()));
            assert!(unread.to_string().contains(name));
            assert_eq!(check_for_browser(bytes).is_ok(), by_browser, "{name}");
        }
        assert!(matches!(
            check_for_browser(&huge),
            Err(Failure::TooManyPixels { width: 20_000, .. })
        ));
        let film = box_of(b"ftyp", b"isom\0\0\0\0mp41");
        assert_eq!(check_for_browser(&film), Err(Failure::NotAPicture));
        assert_eq!(
            check(b"BMWs are cars, so to say"),
            Err(Failure::NotAPicture)
        );
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

    proptest! {
        #[test]
        fn no_bytes_panic(
            magic in prop::sample::select(vec![&b""[..], b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"<!--"]),
            rest in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [magic, &rest].concat();
            let _ = (check(&bytes), check_for_browser(&bytes), unread(&bytes));
        }

        #[test]
        fn no_damaged_file_panics(file in 0..whole_files().len(), at: prop::sample::Index, byte: u8) {
            let (_, mut bytes) = whole_files().swap_remove(file);
            let at = at.index(bytes.len().min(600));
            bytes[at] = byte;
            let _ = check_for_browser(&bytes);
        }

        #[test]
        fn no_damaged_header_panics(at in 0usize..33, byte: u8, width: u32, height: u32) {
            let mut bytes = png_header(width, height);
            bytes[at] = byte;
            let _ = check(&bytes);
        }
    }
}
