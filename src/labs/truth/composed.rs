//! Running a lab on the picture with its scene laid over it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{Blob, Url};

use super::compose::{Composed, compose};
use super::scene::{SceneSettings, read};
use super::{Object, write};
use crate::page::state::{Source, State};
use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::param::Value;

/// A scene that was composed: other settings of a lab need no other one.
#[derive(Clone)]
struct Scene {
    source: Source,
    text: String,
    picture: Blob,
    truth: Vec<Object>,
    /// Address of the picture.
    url: Option<String>,
}

/// What a lab composed last.
struct OfLab {
    lab: &'static str,
    /// How often it was asked for a picture.
    asked: u32,
    scene: Option<Scene>,
}

/// Of all labs.
#[derive(Clone, Copy)]
struct Scenes(RwSignal<Vec<OfLab>, LocalStorage>);

impl Scenes {
    fn of(state: State) -> Self {
        state.memory(|| Self(RwSignal::new_local(Vec::new())))
    }

    fn with<T>(self, lab: &'static LabSpec, act: impl FnOnce(&mut OfLab) -> T) -> Option<T> {
        self.0.try_update(|all| {
            let known = all.iter().position(|of| of.lab == lab.name);
            let at = known.unwrap_or_else(|| {
                all.push(OfLab {
                    lab: lab.name,
                    asked: 0,
                    scene: None,
                });
                all.len() - 1
            });
            act(&mut all[at])
        })
    }

    fn put(self, lab: &'static LabSpec, scene: Option<Scene>) {
        let before = self
            .with(lab, |of| std::mem::replace(&mut of.scene, scene))
            .flatten();
        if let Some(url) = before.and_then(|before| before.url) {
            let _ = Url::revoke_object_url(&url);
        }
    }
}

/// The address of the composed picture of a lab; none where the picture stands as it is.
pub fn backdrop(state: State, lab: &'static LabSpec) -> Signal<Option<String>> {
    let scenes = Scenes::of(state);
    Memo::new(move |_| {
        scenes.0.with(|all| {
            let of = all.iter().find(|of| of.lab == lab.name)?;
            let scene = of.scene.as_ref()?;
            // Over another picture it would be wrong until that one's is composed.
            let is_there = state
                .source
                .with(|now| now.as_ref().is_some_and(|now| now.is(&scene.source)));
            scene.url.clone().filter(|_| is_there)
        })
    })
    .into()
}

/// Does something with the picture of a lab as its scene leaves it; the truth follows. Nothing where there is no picture, or
/// where another is asked for before it is composed.
pub fn with_picture(state: State, of: SceneSettings, act: impl FnOnce(Blob) + 'static) {
    let Some(source) = state.source.get_untracked() else {
        return;
    };
    let settings = state.settings(of.lab);
    let [text, truth] =
        settings.with_untracked(|settings| [of.scene(settings), of.truth(settings)]);
    let placed = read(&text);
    let scenes = Scenes::of(state);
    let known = scenes.with(of.lab, |of_lab| {
        of_lab.asked += 1;
        (of_lab.asked, of_lab.scene.clone())
    });
    let Some((asked, known)) = known else {
        return;
    };
    if placed.is_empty() {
        scenes.put(of.lab, None);
        return act(source.blob);
    }
    let tell = move |truth: &[Object]| state.set(of.lab, of.truth, Value::Text(write(truth)));
    if let Some(known) = known.filter(|known| known.text == text && known.source.is(&source)) {
        // What was drawn by hand since then stays.
        if truth.is_empty() {
            tell(&known.truth);
        }
        return act(known.picture);
    }
    spawn_local(async move {
        let composed = compose(&source.url, &placed).await;
        // Meanwhile the visitor may have moved something.
        let is_last = scenes.with(of.lab, |of_lab| of_lab.asked == asked) == Some(true);
        let is_there = state
            .source
            .with_untracked(|now| now.as_ref().is_some_and(|now| now.is(&source)));
        // Settings of a link are there before its picture is.
        let is_same = settings.with_untracked(|settings| of.scene(settings)) == text;
        if !is_last || !is_there || !is_same {
            return;
        }
        let Ok(Composed { picture, truth }) = composed else {
            return state.refuse(Failure::DamagedPicture);
        };
        let has_none = settings.with_untracked(|settings| of.truth(settings).is_empty());
        if has_none {
            tell(&truth);
        }
        let url = Url::create_object_url_with_blob(&picture).ok();
        let scene = Scene {
            source,
            text,
            picture: picture.clone(),
            truth,
            url,
        };
        scenes.put(of.lab, Some(scene));
        act(picture);
    });
}
