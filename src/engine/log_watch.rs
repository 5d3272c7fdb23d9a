//! Keeps what Burn's GPU libraries log as errors.
//!
//! In a browser a shader that fails validation is skipped without an error for the caller; the
//! log is the only place where it shows. A job that finds one must not give its numbers out.

use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};

static ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// More than this says nothing new.
const MOST: usize = 16;

struct Watch;

impl Log for Watch {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= log::Level::Error
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let mut errors = ERRORS
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            if errors.len() < MOST {
                errors.push(format!("{}: {}", record.target(), record.args()));
            }
        }
    }

    fn flush(&self) {}
}

/// Starts watching. Does nothing if the program has a logger already.
pub fn install() {
    if log::set_logger(&Watch).is_ok() {
        log::set_max_level(LevelFilter::Error);
    }
}

/// The errors since the last call.
pub fn take_errors() -> Vec<String> {
    std::mem::take(
        &mut *ERRORS
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_kept_once_and_nothing_else_is() {
        install();
        log::warn!("not this");
        log::error!("a shader failed");
        assert_eq!(
            take_errors()
                .iter()
                .filter(|e| e.contains("a shader failed"))
                .count(),
            1
        );
        assert!(!take_errors().iter().any(|e| e.contains("not this")));
    }
}
