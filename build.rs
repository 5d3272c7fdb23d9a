//! Turns the words of the page and of each lab into checked keys and a table, for the page alone; the
//! manifest into a list of files, for the engine alone; and asks the linker for small programs.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        // Names of functions are a fifth of a program's bytes. wasm-bindgen needs the other section.
        println!("cargo:rustc-link-arg-bins=--strip-all");
        println!("cargo:rustc-link-arg-bins=--keep-section=target_features");
    }
    #[cfg(feature = "engine")]
    weights()?;
    #[cfg(feature = "page")]
    words::write()?;
    Ok(())
}

/// What the engine must know of `weights/manifest.json`: names, checksums and sizes. The rest of the
/// cards is for people.
#[cfg(feature = "engine")]
fn weights() -> Result<(), Box<dyn std::error::Error>> {
    use std::fmt::Write;
    println!("cargo:rerun-if-changed=weights/manifest.json");
    let text = std::fs::read_to_string("weights/manifest.json")?;
    let manifest: serde_json::Value = serde_json::from_str(&text)?;
    let cards = manifest["models"].as_array().ok_or("no list of models")?;
    let mut code =
        String::from("/// The files that ship.\npub static FILES: &[WeightsFile] = &[\n");
    for card in cards {
        let (name, sha256, bytes) = (&card["name"], &card["sha256"], &card["bytes"]);
        writeln!(
            code,
            "WeightsFile {{ name: {name}, sha256: {sha256}, bytes: {bytes} }},"
        )?;
    }
    code.push_str("];\n");
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    Ok(std::fs::write(out.join("weights.rs"), code)?)
}

/// `src/page/words.<language>.json` and `src/labs/*/words.<language>.json`, each under its folder's
/// name. What is text at the top of a file becomes a key of `t_string!`: `detect.title`. What stands
/// deeper is looked up while the page runs, in a table: `"settings"` by setting (`detect.score.label`),
/// any other list by its name (`detect.classes.8`). Title, lead and tab of a lab are in both.
#[cfg(feature = "page")]
mod words {
    use std::collections::{BTreeMap, BTreeSet};
    use std::error::Error;
    use std::fmt::Write;
    use std::fs;
    use std::path::{Path, PathBuf};

    use serde_json::{Map, Value};

    type Result<T> = std::result::Result<T, Box<dyn Error>>;

    /// The first is the one that the code's own sentences are in.
    const LANGUAGES: [&str; 2] = ["en", "zh"];
    /// Keys that are also looked up while the page runs.
    const ALSO_IN_TABLE: [&str; 3] = ["title", "lead", "tab"];

    /// The words of one folder.
    struct Folder {
        name: String,
        /// The folders that words are looked for in after this one.
        uses: Vec<String>,
        /// By language.
        words: Vec<Map<String, Value>>,
    }

    /// Everything, into `OUT_DIR`.
    pub fn write() -> Result<()> {
        let out = PathBuf::from(std::env::var("OUT_DIR")?);
        let folders = read()?;
        fs::create_dir_all(out.join("locales"))?;
        for (index, language) in LANGUAGES.iter().enumerate() {
            let keys: Map<_, _> = folders
                .iter()
                .map(|folder| (folder.name.clone(), keys(&folder.words[index])))
                .collect();
            let path = out.join(format!("locales/{language}.json"));
            renew(&path, &Value::Object(keys).to_string())?;
        }
        renew(&out.join("i18n.rs"), &code(&out)?)?;
        renew(&out.join("words.rs"), &table(&folders)?)
    }

    /// Writes a file that is not yet as it should be.
    fn renew(path: &Path, text: &str) -> Result<()> {
        if fs::read_to_string(path).is_ok_and(|before| before == text) {
            return Ok(());
        }
        Ok(fs::write(path, text)?)
    }

    fn object(path: &Path) -> Result<Map<String, Value>> {
        println!("cargo:rerun-if-changed={}", path.display());
        let text =
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
    }

    /// All folders with words, by name.
    fn read() -> Result<Vec<Folder>> {
        println!("cargo:rerun-if-changed=src/labs");
        let mut paths = vec![PathBuf::from("src/page")];
        for entry in fs::read_dir("src/labs")? {
            paths.push(entry?.path());
        }
        paths.retain(|path| {
            let has = |language| path.join(format!("words.{language}.json")).exists();
            LANGUAGES.into_iter().any(has)
        });
        paths.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
        let folders: Vec<_> = paths
            .iter()
            .map(|path| folder(path))
            .collect::<Result<_>>()?;
        for Folder { name, uses, .. } in &folders {
            for used in uses {
                if folders.iter().all(|folder| folder.name != *used) {
                    return Err(
                        format!("words of {name}: there are no words of {used} to use").into(),
                    );
                }
            }
        }
        Ok(folders)
    }

    fn folder(path: &Path) -> Result<Folder> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or("a folder with an odd name")?.to_string();
        let mut words = Vec::new();
        for language in LANGUAGES {
            words.push(object(&path.join(format!("words.{language}.json")))?);
        }
        // It says nothing that is translated: it stands in the first language's file alone.
        let uses = match words[0].remove("uses") {
            Some(uses) => serde_json::from_value(uses)?,
            None => Vec::new(),
        };
        for (language, other) in LANGUAGES.iter().zip(&words).skip(1) {
            same_keys(
                &format!("words.{language}.json of {name}: "),
                &words[0],
                other,
            )?;
        }
        Ok(Folder { name, uses, words })
    }

    /// That two languages have the same keys, at every depth, and texts below them.
    fn same_keys(at: &str, a: &Map<String, Value>, b: &Map<String, Value>) -> Result<()> {
        if let Some(more) = b.keys().find(|key| !a.contains_key(*key)) {
            return Err(format!("{at}{more} is not in the first language").into());
        }
        for (key, value) in a {
            match (value, b.get(key)) {
                (_, None) => return Err(format!("{at}{key} is missing").into()),
                (Value::Object(a), Some(Value::Object(b))) => {
                    same_keys(&format!("{at}{key}."), a, b)?;
                }
                (Value::String(_), Some(Value::String(_))) => {}
                _ => return Err(format!("{at}{key} is not a text in both languages").into()),
            }
        }
        Ok(())
    }

    /// What `t_string!` knows of a file.
    fn keys(words: &Map<String, Value>) -> Value {
        let texts = words.iter().filter(|(_, value)| value.is_string());
        texts
            .map(|(key, text)| (key.clone(), text.clone()))
            .collect()
    }

    fn code(out: &Path) -> Result<String> {
        use leptos_i18n_parser::parse_locales::options::{Config, ParseOptions};
        use leptos_i18n_parser::parse_locales::parse_locales;
        let options = ParseOptions::default().interpolate_display(true);
        let config = Config::new(LANGUAGES[0])?
            .add_locales(&LANGUAGES[1..])?
            .locales_path(out.join("locales"))
            .parse_options(options);
        let parsed = parse_locales(None, config)?;
        // What is worth a warning is worth an error: a page in two languages at once is none.
        for warning in parsed.diag.warnings().iter() {
            println!("cargo::error={warning}");
        }
        for error in parsed.diag.errors().iter() {
            println!("cargo::error={error}");
        }
        Ok(leptos_i18n_codegen::gen_code(&parsed, None, false, None, false)?.to_string())
    }

    /// Texts by path, sorted; the folders that a folder uses; sentences of failures.
    fn table(folders: &[Folder]) -> Result<String> {
        let mut rows = BTreeMap::new();
        for folder in folders {
            for key in folder.words[0].keys() {
                let text = folder.words[0][key].is_string();
                if text && !ALSO_IN_TABLE.contains(&key.as_str()) {
                    continue;
                }
                let values: Vec<_> = folder.words.iter().map(|words| &words[key]).collect();
                let path = match key.as_str() {
                    "settings" => folder.name.clone(),
                    key => format!("{}.{key}", folder.name),
                };
                flatten(&path, &values, &mut rows)?;
            }
        }
        let mut code = String::new();
        writeln!(
            code,
            "pub const LANGUAGES: [&str; {}] = {LANGUAGES:?};",
            LANGUAGES.len()
        )?;
        // One text: as many slices would be pointers, which do not compress.
        let mut words = String::new();
        for (path, texts) in rows {
            if texts.iter().any(|text| text.contains(['\n', '\t'])) {
                return Err(format!("{path} has a tab or a line break").into());
            }
            writeln!(words, "{path}\t{}", texts.join("\t"))?;
        }
        writeln!(code, "pub static WORDS: &str = {words:?};")?;
        writeln!(code, "pub static USES: &[(&str, &[&str])] = &[")?;
        for Folder { name, uses, .. } in folders.iter().filter(|folder| !folder.uses.is_empty()) {
            writeln!(code, "({name:?}, &{uses:?}),")?;
        }
        // The first language's are in the code.
        let mut failures = Vec::new();
        for language in &LANGUAGES[1..] {
            failures.push(object(&PathBuf::from(format!(
                "src/page/failures.{language}.json"
            )))?);
        }
        writeln!(
            code,
            "];\npub static FAILURES: &[(&str, [&str; LANGUAGES.len() - 1])] = &["
        )?;
        for name in failures[0].keys().collect::<BTreeSet<_>>() {
            let texts = failures
                .iter()
                .map(|texts| texts.get(name).and_then(Value::as_str));
            let texts: Option<Vec<_>> = texts.collect();
            let texts =
                texts.ok_or_else(|| format!("the failure {name} is not a text everywhere"))?;
            writeln!(code, "({name:?}, {texts:?}),")?;
        }
        writeln!(code, "];")?;
        Ok(code)
    }

    fn flatten(
        path: &str,
        values: &[&Value],
        rows: &mut BTreeMap<String, Vec<String>>,
    ) -> Result<()> {
        if let Value::Object(first) = values[0] {
            for key in first.keys() {
                let below: Vec<_> = values.iter().map(|value| &value[key]).collect();
                flatten(&format!("{path}.{key}"), &below, rows)?;
            }
            return Ok(());
        }
        let texts = values.iter().filter_map(|value| value.as_str());
        match rows.insert(path.into(), texts.map(Into::into).collect()) {
            Some(_) => Err(format!("two words have the path {path}").into()),
            None => Ok(()),
        }
    }
}
