//! An adversarial pair in training, watched from all sides.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, HtmlCanvasElement};

use super::plot::{COLORS, Line, Plot, PlotView, number};
use super::{Drawn, KeyCursor, Latest, SheetView, Standing, capture, place_of};
use crate::app::color_map::diverging;
use crate::app::controls::Control;
use crate::app::export;
use crate::app::shell::ShareButton;
use crate::app::state::use_state;
use crate::app::text::{t_string, use_i18n};
use crate::protocol::ask::{Ask, CELLS, Plane, Progress, Steps, Told};
use crate::protocol::generate::setting;
use crate::protocol::params::Lab;

/// Milliseconds that an answer may take: often enough to watch, rarely enough to get on.
const ANSWER_MS: f64 = 120.0;
/// Most points that the visitor can draw.
const DRAWN_MAX: usize = 400;
/// Pixels of the plane's side.
const PLANE: f64 = 480.0;
/// The plane goes from minus this to this in both directions.
const REACH: f64 = 1.2;
/// Where the points of a key's press lie around it.
const CLOUD: [[f32; 2]; 5] = [
    [0.0, 0.0],
    [0.05, 0.02],
    [-0.04, 0.05],
    [-0.02, -0.05],
    [0.03, -0.04],
];

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

/// The plane: the discriminator's surface, data, samples, and where samples are driven.
#[component]
fn PlaneView(
    progress: RwSignal<Progress>,
    drawn_points: RwSignal<Vec<[f32; 2]>>,
    can_draw: Signal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let stroke = StoredValue::new(None::<Vec<[f32; 2]>>);
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        let result = progress.with(|p| draw(&canvas, &p.plane.clone().unwrap_or_default()));
        if let Err(error) = result {
            leptos::logging::error!("plane: {error:?}");
        }
    });
    let add = move |event: &web_sys::PointerEvent| {
        let Some([x, y]) = place_of(event, ".plane canvas") else {
            return;
        };
        let point = [(x * 2.0 - 1.0) * REACH, (1.0 - y * 2.0) * REACH].map(|v| v as f32);
        stroke.update_value(|stroke| {
            if let Some(stroke) = stroke {
                stroke.push(point);
            }
        });
        if let (Some(canvas), Some([x, y])) =
            (canvas.get_untracked(), place_of(event, ".plane canvas"))
            && let Ok(context) = export::context(&canvas)
        {
            context.set_fill_style_str("#000");
            context.begin_path();
            let _ = context.arc(x * PLANE, y * PLANE, 3.0, 0.0, std::f64::consts::TAU);
            context.fill();
        }
    };
    let keys = KeyCursor::new();
    let key = move |event: web_sys::KeyboardEvent| {
        if !can_draw.get_untracked() {
            return;
        }
        if let Some([x, y]) = keys.press(&event) {
            let point = [(x * 2.0 - 1.0) * REACH, (1.0 - y * 2.0) * REACH].map(|v| v as f32);
            drawn_points.update(|all| {
                // A press is a small cloud: single points are no distribution.
                for [dx, dy] in CLOUD {
                    all.push([point[0] + dx, point[1] + dy]);
                }
                let over = all.len().saturating_sub(DRAWN_MAX);
                all.drain(..over);
            });
        }
    };
    let end = move |_| {
        if let Some(points) = stroke.try_update_value(Option::take).flatten() {
            drawn_points.update(|all| {
                all.extend(points);
                let over = all.len().saturating_sub(DRAWN_MAX);
                all.drain(..over);
            });
        }
    };
    view! {
        <div class="plane">
            <div class="keyed">
            <canvas
                node_ref=canvas
                width=PLANE
                height=PLANE
                role="img"
                class:drawing=can_draw
                tabindex=move || can_draw.get().then_some("0")
                aria-label=move || if can_draw.get() {
                    format!("{}. {}", t_string!(i18n, train_plane), t_string!(i18n, plane_keys))
                } else {
                    t_string!(i18n, train_plane).to_string()
                }
                on:keydown=key
                on:pointerdown=move |event| { if can_draw.get_untracked() { capture(&event, ".plane canvas"); stroke.set_value(Some(Vec::new())); add(&event) } }
                on:pointermove=move |event| { if stroke.with_value(Option::is_some) { add(&event) } }
                on:pointerup=end
                on:pointercancel=end
            ></canvas>
            <Show when=move || can_draw.get()>{keys.mark()}</Show>
            </div>
            <ul class="legend">
                <li><span class="dot" style="background:#000"></span>{move || t_string!(i18n, train_real)}</li>
                <li><span class="dot" style="background:#009e73"></span>{move || t_string!(i18n, train_fake)}</li>
                <li><span class="ramp signed"></span>{move || t_string!(i18n, train_surface)}</li>
            </ul>
            <Show when=move || can_draw.get()>
                <p class="help">{move || t_string!(i18n, train_draw_help)}</p>
                <button type="button" class="button quiet" id="clear-points" on:click=move |_| drawn_points.set(Vec::new())>{move || t_string!(i18n, pad_clear)}</button>
            </Show>
        </div>
    }
}

fn draw(canvas: &HtmlCanvasElement, plane: &Plane) -> Result<(), JsValue> {
    let context = export::context(canvas)?;
    context.set_fill_style_str("#f7f7f7");
    context.fill_rect(0.0, 0.0, PLANE, PLANE);
    // From the lowest score to the highest, blue to orange.
    let low = plane.surface.iter().copied().fold(f32::INFINITY, f32::min);
    let high = plane
        .surface
        .iter()
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    let cell = PLANE / CELLS as f64;
    for (index, score) in plane.surface.iter().enumerate() {
        let share = (score - low) / (high - low).max(1e-6);
        let [r, g, b] = diverging((share * 2.0 - 1.0) * 0.75);
        context.set_fill_style_str(&format!("rgb({r} {g} {b})"));
        let (x, y) = ((index % CELLS) as f64, (index / CELLS) as f64);
        context.fill_rect(x * cell, y * cell, cell + 0.6, cell + 0.6);
    }
    let place = |[x, y]: [f32; 2]| {
        [
            (f64::from(x) / REACH + 1.0) * PLANE / 2.0,
            (1.0 - f64::from(y) / REACH) * PLANE / 2.0,
        ]
    };
    let dots = |points: &[[f32; 2]], color: &str, radius: f64| -> Result<(), JsValue> {
        context.set_fill_style_str(color);
        for &point in points {
            let [x, y] = place(point);
            context.begin_path();
            context.arc(x, y, radius, 0.0, std::f64::consts::TAU)?;
            context.fill();
        }
        Ok(())
    };
    dots(&plane.real, "rgb(0 0 0 / 0.7)", 2.2)?;
    // Arrows as long as the square root of what drives: small ones stay visible.
    context.set_stroke_style_str("rgb(0 80 60 / 0.75)");
    context.set_line_width(1.2);
    for (&point, &[dx, dy]) in plane.fake.iter().zip(&plane.arrows) {
        let size = dx.hypot(dy);
        if size > 0.0 {
            let scale = 0.12 * size.sqrt().min(1.5) / size;
            let [x, y] = place(point);
            let [ex, ey] = place([point[0] + dx * scale, point[1] + dy * scale]);
            context.begin_path();
            context.move_to(x, y);
            context.line_to(ex, ey);
            context.stroke();
        }
    }
    dots(&plane.fake, "#00785a", 2.8)
}
