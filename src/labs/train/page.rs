//! An adversarial pair in training, watched from all sides.

use leptos::prelude::*;
use web_sys::Blob;

use super::views::plane::PlaneView;

use crate::labs::generate::ask::{Ask, Progress, Steps, Told};
use crate::labs::generate::page::{Drawn, Latest, SheetView, Standing};
use crate::labs::generate::spec::setting;
use crate::page::controls::Control;
use crate::page::export;
use crate::page::plot::{COLORS, Line, Plot, PlotView, number};
use crate::page::shell::ShareButton;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::params::Lab;

/// Milliseconds that an answer may take: often enough to watch, rarely enough to get on.
const ANSWER_MS: f64 = 120.0;
/// Settings that show something of the lecture: name, what is set.
const PRESETS: [(&str, &[(&str, &str)]); 6] = [
    (
        "vanishing",
        &[
            ("data", "ring"),
            ("objective", "minimax"),
            ("spectral-norm", "off"),
            ("rate-d", "0.004"),
            ("rate-g", "0"),
            ("steps-d", "10"),
        ],
    ),
    (
        "vanishing-cure",
        &[
            ("data", "ring"),
            ("objective", "non-saturating"),
            ("spectral-norm", "off"),
            ("rate-d", "0.004"),
            ("rate-g", "0"),
            ("steps-d", "10"),
        ],
    ),
    (
        "collapse",
        &[
            ("data", "ring"),
            ("objective", "non-saturating"),
            ("spectral-norm", "off"),
            ("rate-d", "0.0005"),
            ("rate-g", "0.005"),
            ("steps-d", "1"),
        ],
    ),
    (
        "collapse-cure",
        &[
            ("data", "ring"),
            ("objective", "hinge"),
            ("spectral-norm", "on"),
            ("rate-d", "0.002"),
            ("rate-g", "0.001"),
            ("steps-d", "2"),
        ],
    ),
    (
        "wgan",
        &[
            ("data", "ring"),
            ("objective", "wgan"),
            ("spectral-norm", "off"),
            ("rate-d", "0.002"),
            ("rate-g", "0.001"),
            ("steps-d", "5"),
        ],
    ),
    (
        "lsgan",
        &[
            ("data", "grid"),
            ("objective", "lsgan"),
            ("spectral-norm", "off"),
            ("rate-d", "0.003"),
            ("rate-g", "0.001"),
            ("steps-d", "3"),
        ],
    ),
];

/// The page.
#[component]
pub fn TrainLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let lab = Lab::Train;
    let settings = state.settings(lab);
    let latest = Latest::new(state.engine);
    let progress = RwSignal::new(Progress::default());
    // The step of each row, and the row.
    let history = RwSignal::new(Vec::<(f64, [f32; 4])>::new());
    let modes_history = RwSignal::new(Vec::<[f64; 2]>::new());
    let sheet: RwSignal<Option<Drawn>, LocalStorage> = RwSignal::new_local(None);
    let drawn_points = RwSignal::new(Vec::<[f32; 2]>::new());
    let running = RwSignal::new(false);
    let pictures = Memo::new(move |_| {
        settings.with(|s| matches!(s.choice(setting::SHAPE), "digits" | "fashion-mnist"))
    });
    let show = move |told: Told, bytes: Vec<u8>| {
        let Told::Trained(now) = told else { return };
        if progress.try_with_untracked(|p| p.step > now.step) == Some(true) {
            let _ = history.try_set(Vec::new());
            let _ = modes_history.try_set(Vec::new());
        }
        let _ = history.try_update(|all| {
            let count = now.history.len();
            let first = (now.step as f64 - count as f64).max(0.0);
            let rows = now.history.iter().enumerate();
            all.extend(rows.map(|(i, row)| (first + i as f64 + 1.0, *row)));
            // A curve of thousands of points says no more than one of a thousand.
            if all.len() > 4000 {
                let mut keep = 0;
                all.retain(|_| {
                    keep += 1;
                    keep % 2 == 0
                });
            }
        });
        if let Some([covered, _]) = now.plane.as_ref().and_then(|plane| plane.modes) {
            let _ = modes_history.try_update(|all| {
                all.push([now.step as f64, f64::from(covered)]);
                if all.len() > 1000 {
                    let mut keep = 0;
                    all.retain(|_| {
                        keep += 1;
                        keep % 2 == 0
                    });
                }
            });
        }
        if let Some(found) = now.sheet {
            let _ = sheet.try_set(Some((found, bytes)));
        }
        let _ = progress.try_set(now);
    };
    // What decides the networks: a change of it begins anew.
    let plan = Memo::new(move |_| {
        settings.with(|s| {
            let words = [
                setting::SHAPE,
                setting::OBJECTIVE,
                setting::SPECTRAL_NORM,
                setting::NETWORKS,
            ]
            .map(|name| s.choice(name));
            let numbers =
                [setting::LATENT, setting::BATCH, setting::SEED].map(|name| s.number(name));
            (words, numbers)
        })
    });
    let begin = move || {
        history.set(Vec::new());
        modes_history.set(Vec::new());
        progress.set(Progress::default());
        sheet.set(None);
        let ask = Ask::TrainBegin {
            settings: settings.get_untracked(),
            drawn: drawn_points.get_untracked(),
        };
        latest.ask(ask, show);
    };
    // Whether training starts by itself once it has begun anew.
    let autostart = StoredValue::new(false);
    Effect::new(move |_| {
        plan.track();
        drawn_points.track();
        // A new worker has nothing in training.
        state.engine.workers.track();
        running.set(false);
        begin();
        running.set(autostart.get_value());
        autostart.set_value(false);
    });
    let step = move |steps: Steps| {
        let ask = Ask::TrainStep {
            settings: settings.get_untracked(),
            steps,
        };
        latest.ask(ask, show);
    };
    // Each answer asks for the next steps: as many as fit into the time of an answer.
    Effect::new(move |_| {
        let ms = progress.with(|p| p.step_ms);
        if running.get() && latest.failure.get().is_none() {
            let count = if ms > 0.0 { (ANSWER_MS / ms) as u32 } else { 2 };
            step(Steps::Both(count.clamp(1, 50)));
        }
    });
    Effect::new(move |_| {
        if latest.failure.get().is_some() {
            running.set(false);
        }
    });
    let curve = move |column: usize, name: String, color: &'static str| {
        let points = history.with(|rows| {
            let point = |(step, row): &(f64, [f32; 4])| [*step, f64::from(row[column])];
            rows.iter()
                .filter(|(_, row)| row[2 + column % 2] >= 0.0)
                .map(point)
                .collect::<Vec<_>>()
        });
        Line::new(name, color, points)
    };
    let losses = Signal::derive(move || {
        Plot::fitted(
            vec![
                curve(0, t_string!(i18n, train_loss_d).to_string(), COLORS[0]),
                curve(1, t_string!(i18n, train_loss_g).to_string(), COLORS[1]),
            ],
            true,
        )
    });
    let gradients = Signal::derive(move || {
        let logarithm = |mut line: Line| {
            line.points
                .iter_mut()
                .for_each(|p| p[1] = p[1].max(1e-9).log10());
            line
        };
        Plot::fitted(
            vec![logarithm(curve(
                3,
                t_string!(i18n, train_gradient_g).to_string(),
                COLORS[1],
            ))],
            false,
        )
    });
    let save = move |_| {
        // The name says which settings the weights fit.
        let name = settings.with_untracked(|s| {
            let norm = match s.choice(setting::SPECTRAL_NORM) {
                "on" => "-spectral-norm",
                _ => "",
            };
            format!(
                "kiln-gan-{}-{}{norm}-{}-latent-{}.bpk",
                s.choice(setting::SHAPE),
                s.choice(setting::OBJECTIVE),
                s.choice(setting::NETWORKS),
                s.number(setting::LATENT)
            )
        });
        latest.ask(Ask::TrainSave, move |told, bytes| {
            if matches!(told, Told::Weights) {
                export::download(&bytes, "application/octet-stream", &name);
            }
        });
    };
    let load = move |event: web_sys::Event| {
        let input: web_sys::HtmlInputElement = event_target(&event);
        let file = input.files().and_then(|files| files.get(0));
        input.set_value("");
        if let Some(file) = file {
            running.set(false);
            let file: Blob = file.into();
            let ask = Ask::TrainLoad {
                settings: settings.get_untracked(),
                drawn: drawn_points.get_untracked(),
            };
            latest.ask_with(ask, [None, Some(file)], show);
        }
    };
    let preset = move |(name, values): (&'static str, &'static [(&'static str, &'static str)])| {
        let label = move || match name {
            "vanishing" => t_string!(i18n, preset_vanishing),
            "vanishing-cure" => t_string!(i18n, preset_vanishing_cure),
            "collapse" => t_string!(i18n, preset_collapse),
            "collapse-cure" => t_string!(i18n, preset_collapse_cure),
            "wgan" => t_string!(i18n, preset_wgan),
            _ => t_string!(i18n, preset_lsgan),
        };
        let choose = move |_| {
            let before = plan.get_untracked();
            autostart.set_value(true);
            settings.update(|settings| {
                for (key, value) in values {
                    let key = if *key == "data" { setting::SHAPE } else { key };
                    settings.set_text(key, value);
                }
            });
            state.write_address();
            latest.failure.set(None);
            // The same networks again: nothing else begins them anew.
            if plan.get_untracked() == before {
                autostart.set_value(false);
                begin();
                running.set(true);
            }
        };
        view! { <button type="button" class="button quiet" id=format!("preset-{name}") on:click=choose>{label}</button> }
    };
    let can_draw = move || settings.with(|s| s.choice(setting::SHAPE) == "drawn");
    view! {
        <section class="panel presets">
            <h2>{move || t_string!(i18n, presets_title)}</h2>
            <div class="row">{PRESETS.map(preset).collect_view()}</div>
        </section>
        <div class="bench">
            <div class="hero-column">
                <div class="stage train-stage">
                    {move || if pictures.get() {
                        view! { <SheetView drawn=sheet label=Signal::derive(move || t_string!(i18n, train_sheet).to_string()) /> }.into_any()
                    } else {
                        view! { <PlaneView progress drawn_points can_draw=Signal::derive(can_draw) /> }.into_any()
                    }}
                </div>
                <Show when=move || !pictures.get()><Numbers progress /></Show>
                <div class="plots">
                    <section class="panel"><h2>{move || t_string!(i18n, train_losses)}</h2><PlotView plot=losses label=Signal::derive(move || t_string!(i18n, train_losses).to_string()) /></section>
                    <section class="panel"><h2>{move || t_string!(i18n, train_gradients)}</h2><PlotView plot=gradients label=Signal::derive(move || t_string!(i18n, train_gradients).to_string()) /></section>
                    <Show when=move || modes_history.with(|m| m.len() > 1)>
                        <section class="panel"><h2>{move || t_string!(i18n, train_modes)}</h2>
                            <PlotView plot=Signal::derive(move || Plot::fitted(vec![Line::new("", COLORS[2], modes_history.get())], true)) label=Signal::derive(move || t_string!(i18n, train_modes).to_string()) />
                        </section>
                    </Show>
                </div>
            </div>
            <div class="inspector">
                <section class="panel job">
                    <div class="row">
                        <button type="button" class="button" id="train-run" on:click=move |_| { latest.failure.set(None); running.update(|r| *r = !*r) }>
                            {move || if running.get() { t_string!(i18n, search_pause) } else { t_string!(i18n, search_start) }}
                        </button>
                        <button type="button" class="button quiet" id="step-d" on:click=move |_| step(Steps::Discriminator)>{move || t_string!(i18n, train_step_d)}</button>
                        <button type="button" class="button quiet" id="step-g" on:click=move |_| step(Steps::Generator)>{move || t_string!(i18n, train_step_g)}</button>
                        <button type="button" class="button quiet" id="train-reset" on:click=move |_| { running.set(false); begin(); }>{move || t_string!(i18n, train_reset)}</button>
                    </div>
                    <p class="number quiet" id="train-step" data-step=move || progress.with(|p| p.step.to_string()) data-ms=move || progress.with(|p| format!("{:.1}", p.step_ms)) data-history=move || history.with(|h| h.iter().take(10).map(|(_, row)| row[0].to_string()).collect::<Vec<_>>().join(","))>
                        {move || progress.with(|p| t_string!(i18n, train_at, step = p.step, ms = format!("{:.0}", p.step_ms)).to_string())}
                    </p>
                    <Standing latest />
                </section>
                <section class="panel">
                    <Control lab name=setting::SHAPE />
                    <Control lab name=setting::OBJECTIVE />
                    <Control lab name=setting::SPECTRAL_NORM />
                </section>
                <section class="panel">
                    <Control lab name=setting::RATE_D />
                    <Control lab name=setting::RATE_G />
                    <Control lab name=setting::STEPS_D />
                    <Control lab name=setting::LATENT />
                    <Control lab name=setting::BATCH />
                    <Control lab name=setting::SEED />
                    <Show when=move || pictures.get()><Control lab name=setting::NETWORKS /></Show>
                </section>
                <div class="row exports">
                    <ShareButton />
                    <button type="button" class="button quiet" id="train-save" on:click=save>{move || t_string!(i18n, train_save)}</button>
                    <label class="button quiet" for="train-load">{move || t_string!(i18n, train_load)}</label>
                    <input type="file" id="train-load" class="visually-hidden" accept=".bpk" on:change=load />
                </div>
            </div>
        </div>
    }
}

/// Numbers about a pair on points.
#[component]
fn Numbers(progress: RwSignal<Progress>) -> impl IntoView {
    let i18n = use_i18n();
    let plane = move || progress.with(|p| p.plane.clone().unwrap_or_default());
    let modes = move || match plane().modes {
        Some([covered, all]) => format!("{covered} / {all}"),
        None => "–".into(),
    };
    view! {
        <dl class="facts">
            <div><dt>{move || t_string!(i18n, fact_modes)}</dt><dd class="number" id="fact-modes">{modes}</dd></div>
            <div><dt>{move || t_string!(i18n, fact_kl)}</dt><dd class="number">{move || number(f64::from(plane().divergences[0]))}</dd></div>
            <div><dt>{move || t_string!(i18n, fact_js)}</dt><dd class="number" id="fact-js">{move || number(f64::from(plane().divergences[1]))}</dd></div>
            <div><dt>{move || t_string!(i18n, fact_lipschitz)}</dt><dd class="number" id="fact-lipschitz">{move || number(f64::from(plane().lipschitz))}</dd></div>
        </dl>
    }
}
