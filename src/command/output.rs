//! Where results go. Names are decided and checked before anything is computed: nothing that is read is
//! written over, no two results go to one place, and what a name ends in is what the file holds.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use clap::ArgMatches;

use crate::engine::native_host::{decode_own_png, encode_jpeg, encode_png, encode_webp};
use crate::protocol::failure::Failure;
use crate::protocol::link::{self, Shared};
use crate::protocol::picture::Picture;
use crate::protocol::png_text;
use crate::protocol::settings::Settings;

use super::{print, sentence};

/// Standard input or output, as the name of a file.
pub const STANDARD: &str = "-";

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Png,
    Jpeg,
    WebP,
}

impl Encoding {
    /// By the end of a name.
    fn of(path: &Path) -> Option<Self> {
        match &*ending(path)? {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "webp" => Some(Self::WebP),
            _ => None,
        }
    }
}

/// What stands behind the last dot of a name, in small letters.
fn ending(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}

/// A place that one result is written to.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    encoding: Encoding,
}

impl Output {
    /// Its name, for a line of text.
    pub fn shown(&self) -> String {
        print::shown(&self.path)
    }

    /// Writes a picture. A PNG carries the settings, so that dropping it on the page restores them.
    ///
    /// # Errors
    /// [`Failure::Unwritable`].
    pub fn write_picture(&self, picture: &Picture, settings: &Settings) -> Result<(), Failure> {
        let text = link::encode(&Shared::new(settings.clone()));
        match self.encoding {
            Encoding::Png => {
                let png = encode_png(picture);
                self.write(&png_text::insert(&png, &text).unwrap_or(png))
            }
            Encoding::Jpeg => self.write(&encode_jpeg(picture)),
            Encoding::WebP => self.write(&encode_webp(picture)),
        }
    }

    /// Writes a picture that a lab gave as a PNG, settings and all.
    ///
    /// # Errors
    /// [`Failure::Unwritable`].
    pub fn write_png(&self, png: &[u8]) -> Result<(), Failure> {
        match self.encoding {
            Encoding::Png => self.write(png),
            Encoding::Jpeg => self.write(&encode_jpeg(&decode_own_png(png)?)),
            Encoding::WebP => self.write(&encode_webp(&decode_own_png(png)?)),
        }
    }

    /// Writes bytes that are a file already.
    ///
    /// # Errors
    /// [`Failure::Unwritable`].
    pub fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        if self.path.as_os_str() != STANDARD {
            return write_file(&self.path, bytes);
        }
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            // A reader that wants no more has what it wants.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Unwritable {
                path: "standard output".into(),
                reason: error.to_string(),
            }),
            _ => Ok(()),
        }
    }
}

/// What a command reads and will write.
#[derive(Debug)]
pub struct Plan {
    /// `--force`: what is read may be written over.
    force: bool,
    read: Vec<PathBuf>,
    written: Vec<PathBuf>,
}

impl Plan {
    /// Nothing yet.
    pub fn new(arguments: &ArgMatches) -> Self {
        Self {
            force: arguments.get_flag("force"),
            read: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Notes a file that is read. All are to be noted before the first that is written.
    pub fn reads(&mut self, path: &Path) {
        self.read.push(resolve(path));
    }

    /// Notes the files that arguments name, if they do.
    pub fn reads_arguments(&mut self, arguments: &ArgMatches, names: &[&str]) {
        for name in names {
            for path in arguments.get_many::<PathBuf>(name).unwrap_or_default() {
                self.reads(path);
            }
        }
    }

    /// A picture of that name; `-` is standard output, as a PNG.
    ///
    /// # Errors
    /// A sentence where the name cannot be had, or says no format that can be written.
    pub fn picture(&mut self, path: &Path) -> Result<Output, String> {
        if path.as_os_str() == STANDARD {
            if io::stdout().is_terminal() {
                return Err(
                    "a picture would fill the terminal: send standard output to a file or a program."
                        .into(),
                );
            }
            print::leave_to_picture();
        }
        let encoding = match Encoding::of(path) {
            _ if is_stream(path) => Encoding::Png,
            Some(encoding) => encoding,
            None => {
                return Err(format!(
                    "{} does not say in which format the picture is to be: end the name in .png, .jpg or .webp.",
                    print::shown(path)
                ));
            }
        };
        let path = self.take(path)?;
        Ok(Output { path, encoding })
    }

    /// A file of that name, which must end in one of `endings`, if there are any.
    ///
    /// # Errors
    /// A sentence where the name cannot be had.
    pub fn file(&mut self, path: &Path, endings: &[&str]) -> Result<Output, String> {
        let fits = ending(path).is_some_and(|end| endings.contains(&&*end));
        if !(fits || endings.is_empty() || is_stream(path)) {
            return Err(format!(
                "{} does not end in .{}: name it so, because that is what it will hold.",
                print::shown(path),
                endings.join(" or .")
            ));
        }
        if path.as_os_str() == STANDARD {
            if endings.is_empty() || io::stdout().is_terminal() {
                return Err("this cannot go to standard output: name a file.".into());
            }
            print::leave_to_picture();
        }
        let path = self.take(path)?;
        let encoding = Encoding::Png;
        Ok(Output { path, encoding })
    }

    /// A PNG in a folder, `stem-suffix.png`, or with a number more where that is taken.
    pub fn in_folder(&mut self, folder: &Path, stem: &OsStr, suffix: &str) -> Output {
        let named = |number: &str| {
            let mut name = OsString::from(stem);
            name.push(format!("-{suffix}{number}.png"));
            folder.join(name)
        };
        let numbers = (2..).map(|number| format!("-{number}"));
        let mut names = std::iter::once(String::new()).chain(numbers);
        let free = names.find_map(|number| {
            let path = named(&number);
            let place = resolve(&path);
            let mut taken = self.written.iter().chain(&self.read);
            let taken = taken.any(|other| alike(other, &place));
            (!taken).then_some((path, place))
        });
        let (path, place) = free.expect("numbers do not end");
        self.written.push(place);
        let encoding = Encoding::Png;
        Output { path, encoding }
    }

    /// The name, if nothing that is read and no other result is there.
    fn take(&mut self, path: &Path) -> Result<PathBuf, String> {
        let shown = print::shown(path);
        let place = resolve(path);
        if path.is_dir() {
            return Err(format!("{shown} is a folder: name a file."));
        }
        if self.written.iter().any(|other| alike(other, &place)) {
            return Err(format!(
                "{shown} is named for two results: give each a name of its own."
            ));
        }
        // Nothing is lost by reading and writing a terminal or a pipe.
        if !self.force && !is_stream(path) && self.read.contains(&place) {
            return Err(format!(
                "{shown} is one of the files that are read, and would be overwritten: name another, or add --force."
            ));
        }
        if !path.as_os_str().eq("/dev/null") {
            self.written.push(place);
        }
        Ok(path.into())
    }
}

/// Whether two places are one on some systems: Windows and macOS do not tell large letters from small
/// ones.
fn alike(a: &Path, b: &Path) -> bool {
    a == b || a.to_string_lossy().to_lowercase() == b.to_string_lossy().to_lowercase()
}

/// Standard output, a device or a pipe: it has no format of its own, and cannot be replaced.
fn is_stream(path: &Path) -> bool {
    path.as_os_str() == STANDARD
        || fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// The one path of a place, through links and `..`, whether or not a file is there.
fn resolve(path: &Path) -> PathBuf {
    if path.as_os_str() == STANDARD {
        return path.into();
    }
    if let Ok(found) = fs::canonicalize(path) {
        return found;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let Some(parent) = path.parent() else {
        return path;
    };
    let folder = resolve(parent);
    match path.components().next_back() {
        Some(Component::ParentDir) => folder.parent().map_or(folder.clone(), Path::to_owned),
        Some(Component::Normal(name)) => folder.join(name),
        _ => folder,
    }
}

/// Writes a file; folders that are missing are made. What the name held before stays until the new file
/// is complete: whoever interrupts the program finds one or the other, and at worst a part beside it. Only
/// where nothing can be put beside it or in its place is it written into.
///
/// # Errors
/// [`Failure::Unwritable`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = if is_stream(path) {
        fs::write(path, bytes)
    } else {
        replace(path, bytes)
    };
    written.map_err(|error| Failure::Unwritable {
        path: print::shown(path),
        reason: error.to_string(),
    })
}

/// The same, with the failure as a sentence.
///
/// # Errors
/// [`Failure::Unwritable`], as a sentence.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    write_file(path, bytes).map_err(|failure| sentence(&failure))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    // Through a link: what it points to is replaced, not the link, unless it points nowhere.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let before = fs::metadata(&path).ok();
    if before
        .as_ref()
        .is_some_and(|found| found.permissions().readonly())
    {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let before_is_file = before.as_ref().is_some_and(fs::Metadata::is_file);
    // In the same folder, because a file can only be renamed within a file system.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let fresh = folder.join(format!(".kiln-{}-{count}.part", std::process::id()));
    let written = fs::write(&fresh, bytes)
        .and_then(|()| match before {
            Some(before) => fs::set_permissions(&fresh, before.permissions()),
            None => Ok(()),
        })
        .and_then(|()| fs::rename(&fresh, &path));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
        // A file that may be written in a folder that may not, or one that is mounted by itself.
        if before_is_file {
            return fs::write(&path, bytes);
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("kiln-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("inner")).expect("a folder");
        folder
    }

    fn plan(force: bool, read: &[&Path]) -> Plan {
        let mut plan = Plan {
            force,
            read: Vec::new(),
            written: Vec::new(),
        };
        read.iter().for_each(|path| plan.reads(path));
        plan
    }

    #[test]
    fn what_is_read_is_not_written_over_however_it_is_called() {
        let folder = folder("plan");
        let photo = folder.join("photo.png");
        fs::write(&photo, b"a photograph").expect("written");
        let mut names = vec![
            photo.clone(),
            folder.join("inner/../photo.png"),
            folder.join("none/../photo.png"),
            folder.join("./photo.png"),
        ];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&photo, folder.join("link.png")).expect("a link");
            std::os::unix::fs::symlink(&folder, folder.join("around")).expect("a link");
            names.extend([folder.join("link.png"), folder.join("around/photo.png")]);
        }
        for name in &names {
            let refused = plan(false, &[&photo]).picture(name).unwrap_err();
            assert!(refused.contains("--force"), "{refused}");
            assert!(plan(true, &[&photo]).picture(name).is_ok());
            let mut two = plan(false, &[]);
            two.picture(&photo).expect("the first");
            assert!(two.file(name, &[]).unwrap_err().contains("two results"));
        }
        assert_eq!(fs::read(&photo).expect("still there"), b"a photograph");
        let _ = fs::remove_dir_all(folder);
    }

    #[test]
    fn results_in_a_folder_have_names_of_their_own() {
        let folder = folder("names");
        let mut plan = plan(false, &[&folder.join("photo-boxes-2.png")]);
        let mut name = |stem: &str| {
            let output = plan.in_folder(&folder, stem.as_ref(), "boxes");
            let name = output.path.file_name().expect("a name").to_owned();
            name.into_string().expect("text")
        };
        assert_eq!(name("photo"), "photo-boxes.png");
        assert_eq!(name("photo"), "photo-boxes-3.png");
        assert_eq!(name("Photo"), "Photo-boxes-4.png");
        assert_eq!(name("other"), "other-boxes.png");
        let _ = fs::remove_dir_all(folder);
    }

    #[test]
    fn the_name_says_the_format() {
        let mut plan = plan(false, &[]);
        for (name, encoding) in [
            ("x.png", Encoding::Png),
            ("x.JPG", Encoding::Jpeg),
            ("y.jpeg", Encoding::Jpeg),
            ("x.webp", Encoding::WebP),
        ] {
            let output = plan.picture(name.as_ref()).expect("a format");
            assert_eq!(output.encoding, encoding, "{name}");
        }
        for name in ["x", "x.gif", "x.png.bak", "x.tiff"] {
            let refused = plan.picture(name.as_ref()).unwrap_err();
            assert!(refused.contains(".png, .jpg or .webp"), "{refused}");
        }
        assert!(plan.file("x.png".as_ref(), &["gif"]).is_err());
        assert!(plan.file("x.gif".as_ref(), &["gif"]).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_nothing_is_left_beside_the_file() {
        let folder = folder("replace");
        let (file, link) = (folder.join("file"), folder.join("link"));
        write_file(&file, b"before").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write_file(&link, b"after").expect("written");
        assert_eq!(fs::read(&file).expect("written"), b"after");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 3);
        assert!(write_file(&folder.join("file/inside"), b"no").is_err());
        write_file("/dev/null".as_ref(), b"nothing").expect("it takes all");
        assert!(!fs::metadata("/dev/null").expect("there").is_file());
        let _ = fs::remove_dir_all(folder);
    }
}
