//! Words that are looked up while the page runs, by the names of labs, settings and failures. Words
//! that code names are keys of `t_string!`.

use super::text::{I18n, short_name};
use crate::protocol::failure::Failure;

/// The words of every folder by path, made by `build.rs`.
mod table {
    include!(concat!(env!("OUT_DIR"), "/words.rs"));
}
use table::{FAILURES, LANGUAGES, USES, WORDS};

/// Position of the page's language.
fn language(i18n: I18n) -> usize {
    let name = short_name(i18n.get_locale());
    let position = LANGUAGES.iter().position(|&language| language == name);
    position.unwrap_or(0)
}

fn find<T>(table: &'static [(&str, T)], key: &str) -> Option<&'static T> {
    let index = table
        .binary_search_by(|(other, _)| (*other).cmp(key))
        .ok()?;
    Some(&table[index].1)
}

/// A path, and its text in each language.
type Row = (&'static str, [&'static str; LANGUAGES.len()]);

thread_local! {
    /// [`WORDS`], taken apart once; sorted by path, as they are there.
    static ROWS: Vec<Row> = WORDS
        .lines()
        .map(|line| {
            let mut parts = line.split('\t');
            let mut next = || parts.next().unwrap_or_default();
            (next(), std::array::from_fn(|_| next()))
        })
        .collect();
}

/// The text of a path in a language.
fn find_words(path: &str, language: usize) -> Option<&'static str> {
    ROWS.with(|rows| {
        let index = rows
            .binary_search_by(|(other, _)| (*other).cmp(path))
            .ok()?;
        Some(rows[index].1[language])
    })
}

/// The text at a path: the lab's own, or of the folders that the lab's words use, or the page's.
fn look_up(i18n: I18n, lab: &str, path: &str) -> Option<&'static str> {
    let used = find(USES, lab).copied().unwrap_or_default();
    let mut folders = std::iter::once(&lab).chain(used).chain([&"page"]);
    let language = language(i18n);
    folders.find_map(|folder| find_words(&format!("{folder}.{path}"), language))
}

/// The text at a path below a lab or the page: `title`, `lead`, `tab`, or of a list, as `classes.8`.
/// Nothing where there is none.
pub fn lab_word(i18n: I18n, lab: &str, path: &str) -> &'static str {
    look_up(i18n, lab, path).unwrap_or_default()
}

/// Label of a setting, by its name in the parameter table.
pub fn setting_label(i18n: I18n, lab: &str, setting: &str) -> String {
    let label = look_up(i18n, lab, &format!("{setting}.label"));
    label.unwrap_or(setting).into()
}

/// One sentence on a setting, where its name does not say enough.
pub fn setting_help(i18n: I18n, lab: &str, setting: &str) -> Option<String> {
    look_up(i18n, lab, &format!("{setting}.help")).map(Into::into)
}

/// Label of a word of a choice.
pub fn choice_label(i18n: I18n, lab: &str, setting: &str, word: &str) -> String {
    let label = look_up(i18n, lab, &format!("{setting}.choices.{word}"));
    label.unwrap_or(word).into()
}

/// What happened, and what to do.
pub fn failure_sentence(i18n: I18n, failure: &Failure) -> String {
    // The first language's sentences are the failures' own.
    let template = language(i18n)
        .checked_sub(1)
        .and_then(|other| Some(find(FAILURES, &failure.name())?[other]));
    template.map_or_else(|| failure.to_string(), |template| failure.fill(template))
}

/// Name of a sample photograph.
pub fn sample_name(i18n: I18n, name: &str) -> &'static str {
    lab_word(i18n, "page", &format!("samples.{name}"))
}
