//! The labs that take steps: pause, go on, change settings under way.

use leptos::prelude::*;

use super::{Engine, now_ms};
use crate::labs::search::spec::Progress;
use crate::protocol::message::ToEngine;
use crate::protocol::params::Lab;
use crate::protocol::settings::Settings;

/// A search as far as it is known.
#[derive(Debug, Clone)]
pub struct Live {
    /// The lab it belongs to.
    pub lab: Lab,
    /// The settings that it began with.
    pub began_with: Settings,
    /// The last report; its losses are in `history`.
    pub progress: Progress,
    /// What travelled beside it.
    pub bytes: Vec<u8>,
    /// The losses of all steps.
    pub history: Vec<Vec<f32>>,
    /// Milliseconds of the steps, on average since the search began or went on.
    pub step_ms: Option<f64>,
}

impl Engine {
    /// Takes the last search further: by `steps`, or as far as the settings say.
    pub fn go_on(self, settings: Settings, steps: Option<u32>) {
        if let Some((blob, style)) = self.with(|inner| inner.last_blobs.clone()) {
            self.begin(settings, blob, style, Some(steps));
        }
    }

    /// Ends the running search after its present step, with what it has.
    pub fn pause(self) {
        if let Some(job) = self.with(|inner| inner.pending.as_ref().map(|pending| pending.job)) {
            self.send(&ToEngine::Pause { job }, None);
        }
    }

    /// Whether the search that runs, or ran last, is of a lab.
    pub fn has_search(self, lab: Lab) -> bool {
        let of = |settings: &Settings| settings.lab() == lab;
        self.with(|inner| inner.pending.as_ref().is_some_and(|p| of(&p.settings)))
            || self
                .live
                .with_untracked(|live| live.as_ref().is_some_and(|live| live.lab == lab))
    }

    /// Whether there is a search of a lab that can go on.
    pub fn has_paused_search(self, lab: Lab) -> bool {
        self.with(|inner| inner.pending.is_none())
            && self
                .live
                .with_untracked(|live| live.as_ref().is_some_and(|live| live.lab == lab))
    }

    /// Tells the running search of changed settings.
    pub fn adjust(self, settings: Settings) {
        let running = self.update(|inner| {
            let pending = inner.pending.as_mut()?;
            pending.settings = settings.clone();
            Some(pending.job)
        });
        if let Some(job) = running {
            self.send(&ToEngine::Adjust { job, settings }, None);
        }
    }

    /// Hands the visitor an animation of how the last search went, as a GIF file.
    pub fn animate(self, lab: Lab, file_name: String) {
        let job = self.take_number();
        self.update(|inner| inner.exports.push((job, file_name)));
        self.send(&ToEngine::Animate { job, lab }, None);
    }

    /// Puts a report of the running search where the page sees it.
    pub(super) fn show(self, mut progress: Progress, bytes: Vec<u8>) {
        let now = now_ms();
        let Some((began_with, (first, since))) = self.update(|inner| {
            let pending = inner.pending.as_mut()?;
            let began = *pending.began.get_or_insert((progress.step, now));
            Some((pending.began_with.clone(), began))
        }) else {
            return;
        };
        let step_ms =
            (progress.step > first).then(|| (now - since) / f64::from(progress.step - first));
        let losses = std::mem::take(&mut progress.losses);
        self.live.update(|live| {
            let mut history = live.take().map(|live| live.history).unwrap_or_default();
            history.extend(losses);
            *live = Some(Live {
                lab: began_with.lab(),
                began_with,
                progress,
                bytes,
                history,
                step_ms,
            });
        });
    }
}
