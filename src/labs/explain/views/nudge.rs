//! What a gradient promises, tried: a small square is brightened where the visitor clicks.

use leptos::prelude::*;

use crate::protocol::imagenet::name;
use crate::labs::explain::spec::{LAB, NAMES, Nudge, Question};
use crate::page::engine;
use crate::page::latest::{Latest, Standing};
use crate::page::pointer::place_of;
use crate::page::state::{State, use_state};
use crate::page::text::{t_string, use_i18n};

/// Nudges that stay in the table.
const MOST: usize = 6;

/// What was tried.
#[derive(Clone, Copy)]
pub struct Nudges {
    state: State,
    latest: Latest,
    tried: RwSignal<Vec<Nudge>>,
}

impl Nudges {
    /// None yet.
    pub fn follow(state: State) -> Self {
        let nudges = Self {
            state,
            latest: Latest::new(state.engine),
            tried: RwSignal::new(Vec::new()),
        };
        let class = Memo::new(move |_| {
            let settings = state.settings(&LAB);
            settings.with(|settings| settings.get(NAMES.class).clone())
        });
        Effect::new(move |_| {
            state.source.track();
            class.get();
            nudges.tried.set(Vec::new());
        });
        nudges
    }

    /// Asks for one at a place, in shares of the picture.
    pub fn at(self, place: [f32; 2]) {
        let settings = self.state.settings(&LAB).get_untracked();
        let question = engine::Question::new(&Question::Nudge(place), &settings);
        let tried = self.tried;
        self.latest.ask("nudge", question, move |says| {
            if let Some(nudge) = says.read::<Nudge>() {
                tried.update(|tried| {
                    if tried.len() == MOST {
                        tried.remove(0);
                    }
                    tried.push(nudge);
                });
            }
        });
    }
}

/// The squares over the picture; a click there tries another.
#[component]
pub fn Squares(
    /// What was tried.
    nudges: Nudges,
) -> impl IntoView {
    let state = use_state();
    let click = move |event: web_sys::PointerEvent| {
        if state.desk(&LAB).answer.with_untracked(Option::is_some)
            && let Some([x, y]) = place_of(&event, ".nudges")
        {
            nudges.at([x as f32, y as f32]);
        }
    };
    let squares = move || {
        let tried = nudges.tried.get().into_iter().enumerate();
        tried
            .map(|(index, nudge)| {
                let [left, top, right, bottom] = nudge.square.map(|share| share * 100.0);
                let style = format!(
                    "left:{left:.2}%;top:{top:.2}%;width:{:.2}%;height:{:.2}%",
                    right - left,
                    bottom - top
                );
                view! { <span class="nudge" style=style>{index + 1}</span> }
            })
            .collect_view()
    };
    view! { <div class="nudges" on:pointerdown=click>{squares}</div> }
}

/// The table of what was tried.
#[component]
pub fn NudgePanel(
    /// What was tried.
    nudges: Nudges,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let signed = |value: f32| format!("{value:+.3}").replace('-', "−");
    let rows = move || {
        let tried = nudges.tried.get().into_iter().enumerate();
        tried
            .map(|(index, nudge)| {
                view! {
                    <tr>
                        <th scope="row">{index + 1}</th>
                        <td>{name(nudge.class)}</td>
                        <td class="number">{signed(nudge.promised)}</td>
                        <td class="number">{signed(nudge.measured)}</td>
                        <td class="number">{signed(nudge.probability * 100.0)}</td>
                    </tr>
                }
            })
            .collect_view()
    };
    let nothing = move || state.desk(&LAB).answer.with(Option::is_none);
    let middle = move |_| nudges.at([0.5, 0.5]);
    view! {
        <section class="panel" id="nudge">
            <div class="row">
                <h2>{move || t_string!(i18n, explain.nudge)}</h2>
                <button type="button" class="button quiet" id="nudge-middle" disabled=nothing on:click=middle>
                    {move || t_string!(i18n, explain.nudge_middle)}
                </button>
            </div>
            <p class="help">{move || t_string!(i18n, explain.nudge_help)}</p>
            <Standing latest=nudges.latest />
            <Show when=move || nudges.tried.with(|tried| !tried.is_empty())>
                <table>
                    <thead><tr>
                        <th scope="col"></th>
                        <th scope="col">{t_string!(i18n, explain.nudge_class)}</th>
                        <th scope="col" class="number">{t_string!(i18n, explain.nudge_promised)}</th>
                        <th scope="col" class="number">{t_string!(i18n, explain.nudge_measured)}</th>
                        <th scope="col" class="number">{t_string!(i18n, explain.nudge_probability)}</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </Show>
        </section>
    }
}
