//! Pictures to codes and back: autoencoders at once, a GAN through a search; where they differ.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, HtmlCanvasElement, PointerEvent};

use super::plot::{COLORS, Line, Plot, PlotView, number};
use super::sample::attribute;
use super::{Drawn, Latest, SheetView, Standing, capture, place_of};
use crate::app::controls::{Control, RowSliders};
use crate::app::export;
use crate::app::shell::ShareButton;
use crate::app::state::use_state;
use crate::app::text::{I18n, t_string, use_i18n};
use crate::protocol::ask::{Ask, Told};
use crate::protocol::generate::{DataSet, SHIPPED, setting};
use crate::protocol::params::{Lab, Value};
use crate::protocol::settings::Settings;

/// What two autoencoders made of a picture.
#[derive(Clone, Default)]
struct Codes {
    plain: Vec<f32>,
    mean: Vec<f32>,
    spread: Vec<f32>,
    errors: [f32; 2],
}

/// Where test pictures lie.
#[derive(Clone, Default)]
struct Map {
    points: Vec<[f32; 2]>,
    labels: Vec<u8>,
    own: Option<[f32; 2]>,
    step: u32,
    divergence: f32,
}

fn picture_signal() -> RwSignal<Option<Drawn>, LocalStorage> {
    RwSignal::new_local(None)
}

fn data_of(settings: &Settings) -> DataSet {
    DataSet::from_name(settings.choice(setting::DATA)).unwrap_or(DataSet::FashionMnist)
}

/// The page.
#[component]
pub fn EncodeLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let lab = Lab::Encode;
    let settings = state.settings(lab);
    let latest = Latest::new(state.engine);
    let drawn = picture_signal();
    let codes = RwSignal::new(Codes::default());
    // What the visitor drew or dropped instead of a test picture.
    let own: RwSignal<Option<Blob>, LocalStorage> = RwSignal::new_local(None);
    // Grows with each picture that was encoded: what is made of it has to be made anew.
    let taken = RwSignal::new(0u32);
    let view_name = Memo::new(move |_| settings.with(|s| s.choice(setting::VIEW)));
    let picked =
        Memo::new(move |_| settings.with(|s| (s.choice(setting::DATA), s.number(setting::ITEM))));
    // A picture that was dropped on the page.
    Effect::new(move |before: Option<()>| {
        let dropped = state.source.get().map(|source| source.blob);
        // What was on the stage of another lab is not meant for this one.
        if before.is_some() && dropped.is_some() {
            own.set(dropped);
        }
    });
    Effect::new(move |before: Option<(&'static str, f32)>| {
        let now = picked.get();
        if before.is_some() && before != Some(now) {
            own.set(None);
        }
        now
    });
    Effect::new(move |_| {
        picked.track();
        // A new worker has forgotten the picture.
        state.engine.workers.track();
        let ask = Ask::Encode {
            settings: settings.get_untracked(),
            slot: 0,
        };
        latest.ask_with(ask, [own.get(), None], move |told, bytes| {
            if let Told::Encoded {
                sheet,
                plain,
                mean,
                spread,
                errors,
            } = told
            {
                drawn.set(Some((sheet, bytes)));
                codes.set(Codes {
                    plain,
                    mean,
                    spread,
                    errors,
                });
                taken.update(|count| *count += 1);
            }
        });
    });
    let another = move |_| {
        let item = (js_sys::Math::random() * 500.0) as f32;
        state.set(lab, setting::ITEM, Value::Number(item.floor()));
    };
    let open_own = move |event: web_sys::Event| {
        let input: web_sys::HtmlInputElement = event_target(&event);
        let file = input.files().and_then(|files| files.get(0));
        input.set_value("");
        if let Some(file) = file {
            own.set(Some(file.into()));
        }
    };
    let drawable = move || settings.with(|s| data_of(s).channels() == 1);
    view! {
        <div class="bench">
            <div class="hero-column">
                <section class="panel trio">
                    <SheetView drawn label=Signal::derive(move || t_string!(i18n, encode_sheet).to_string()) />
                    <div class="captions three">
                        <span>{move || t_string!(i18n, encode_input)}</span>
                        <span>"AE"<br /><small class="number" id="error-ae">{move || t_string!(i18n, encode_error, error = format!("{:.4}", codes.with(|c| c.errors[0]))).to_string()}</small></span>
                        <span>"VAE"<br /><small class="number" id="error-vae">{move || t_string!(i18n, encode_error, error = format!("{:.4}", codes.with(|c| c.errors[1]))).to_string()}</small></span>
                    </div>
                </section>
                <Standing latest />
                <Control lab name=setting::VIEW />
                {move || match view_name.get() {
                    "edit" => view! { <Edit latest taken /> }.into_any(),
                    "between" => view! { <Between latest taken /> }.into_any(),
                    "map" => view! { <MapView latest taken /> }.into_any(),
                    "invert" => view! { <Invert latest taken /> }.into_any(),
                    "versus" => view! { <Versus latest /> }.into_any(),
                    _ => view! { <CodeView codes /> }.into_any(),
                }}
            </div>
            <div class="inspector">
                <section class="panel">
                    <Control lab name=setting::DATA />
                    <Control lab name=setting::ITEM />
                    <div class="row">
                        <button type="button" class="button" id="another" on:click=another>{move || t_string!(i18n, encode_another)}</button>
                    </div>
                    <label class="button quiet" for="open-own">{move || t_string!(i18n, source_open)}</label>
                    <input type="file" id="open-own" class="visually-hidden" accept="image/png,image/jpeg,image/webp,image/gif,image/bmp" on:change=open_own />
                    <p class="help">{move || t_string!(i18n, encode_drop)}</p>
                </section>
                <Show when=drawable><Sketch own /></Show>
                <div class="row exports"><ShareButton /></div>
            </div>
        </div>
    }
}

/// A small board to draw a digit or a garment on.
#[component]
fn Sketch(own: RwSignal<Option<Blob>, LocalStorage>) -> impl IntoView {
    let i18n = use_i18n();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let last: StoredValue<Option<[f64; 2]>> = StoredValue::new(None);
    const SIDE: f64 = 168.0;
    let clear = move || {
        if let Some(canvas) = canvas.get_untracked()
            && let Ok(context) = export::context(&canvas)
        {
            context.set_fill_style_str("#000");
            context.fill_rect(0.0, 0.0, SIDE, SIDE);
        }
    };
    Effect::new(move |_| {
        if canvas.get().is_some() {
            clear();
        }
    });
    let send = move || {
        let Some(canvas) = canvas.get_untracked() else {
            return;
        };
        let canvas: HtmlCanvasElement = canvas.unchecked_into();
        leptos::task::spawn_local(async move {
            if let Ok(blob) = export::to_blob(&canvas).await {
                let _ = own.try_set(Some(blob));
            }
        });
    };
    let stroke = move |event: &PointerEvent| {
        let Some(canvas) = canvas.get_untracked() else {
            return;
        };
        let (Some([x, y]), Ok(context)) = (place_of(event, "#sketch"), export::context(&canvas))
        else {
            return;
        };
        let here = [x * SIDE, y * SIDE];
        let from = last.get_value().unwrap_or(here);
        context.set_stroke_style_str("#fff");
        context.set_line_width(SIDE / 13.0);
        context.set_line_cap("round");
        context.begin_path();
        context.move_to(from[0], from[1]);
        context.line_to(here[0] + 0.01, here[1]);
        context.stroke();
        last.set_value(Some(here));
    };
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, encode_draw)}</h2>
            <canvas
                class="sketch"
                id="sketch"
                width=SIDE
                height=SIDE
                node_ref=canvas
                role="img"
                aria-label=move || t_string!(i18n, encode_draw_label).to_string()
                on:pointerdown=move |event| { capture(&event, "#sketch"); last.set_value(None); stroke(&event); }
                on:pointermove=move |event| { if last.get_value().is_some() { stroke(&event) } }
                on:pointerup=move |_| { if last.get_value().is_some() { last.set_value(None); send(); } }
                on:pointercancel=move |_| last.set_value(None)
            ></canvas>
            <button type="button" class="button quiet" id="sketch-clear" on:click=move |_| { clear(); own.set(None); }>
                {move || t_string!(i18n, pad_clear)}
            </button>
        </section>
    }
}

/// The numbers of both codes.
#[component]
fn CodeView(codes: RwSignal<Codes>) -> impl IntoView {
    let i18n = use_i18n();
    let bars = move || {
        let Codes {
            plain,
            mean,
            spread,
            ..
        } = codes.get();
        let reach = |values: &[f32]| values.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
        let plain_reach = reach(&plain);
        let reach = reach(&mean).max(2.0);
        let rows = mean.len().max(plain.len());
        (0..rows)
            .map(|i| {
                let place = |value: f32, reach: f32| 50.0 + 50.0 * (value / reach).clamp(-1.0, 1.0);
                let bar = |value: f32, reach: f32| {
                    let (a, b) = (place(0.0, reach), place(value, reach));
                    format!("left:{:.1}%;width:{:.1}%", a.min(b), (a - b).abs().max(0.5))
                };
                let (p, m) = (plain.get(i).copied(), mean.get(i).copied());
                let s = spread.get(i).copied().unwrap_or_default();
                view! {
                    <tr>
                        <th scope="row" class="number">{i + 1}</th>
                        <td class="code-bar">{p.map(|p| view! { <i style=bar(p, plain_reach)></i> })}</td>
                        <td class="number">{p.map(|p| format!("{p:+.2}"))}</td>
                        <td class="code-bar">
                            {m.map(|m| view! {
                                <em style=format!("left:{:.1}%;width:{:.1}%", place(m - s, reach), place(m + s, reach) - place(m - s, reach))></em>
                                <b style=format!("left:{:.1}%", place(m, reach))></b>
                            })}
                        </td>
                        <td class="number">{m.map(|m| format!("{m:+.2} ± {s:.2}"))}</td>
                    </tr>
                }
            })
            .collect_view()
    };
    view! {
        <section class="panel codes">
            <h2>{move || t_string!(i18n, encode_codes)}</h2>
            <p class="help">{move || t_string!(i18n, encode_codes_help)}</p>
            <div class="scroll" tabindex="0" role="region" aria-label=move || t_string!(i18n, encode_codes).to_string()>
                <table>
                    <thead><tr>
                        <th scope="col">"z"</th>
                        <th scope="col" colspan="2">{move || t_string!(i18n, encode_plain)}</th>
                        <th scope="col" colspan="2">{move || t_string!(i18n, encode_variational)}</th>
                    </tr></thead>
                    <tbody>{bars}</tbody>
                </table>
            </div>
        </section>
    }
}

/// The picture's code, moved along attributes and directions.
#[component]
fn Edit(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let lab = Lab::Encode;
    let settings = state.settings(lab);
    let drawn = picture_signal();
    let moved = Memo::new(move |_| {
        settings.with(|s| (s.row(setting::ATTRIBUTES), s.row(setting::SLIDERS)))
    });
    Effect::new(move |_| {
        moved.track();
        if taken.get() == 0 {
            return;
        }
        latest.ask(Ask::Edit(settings.get_untracked()), move |told, bytes| {
            if let Told::Sheet(sheet) = told {
                let _ = drawn.try_set(Some((sheet, bytes)));
            }
        });
    });
    let avatars = move || settings.with(data_of) == DataSet::Avatars;
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, edit_title)}</h2>
            <p class="help">{move || t_string!(i18n, edit_help)}</p>
            <div class="trio">
                <SheetView drawn label=Signal::derive(move || t_string!(i18n, edit_title).to_string()) />
                <div class="captions three"><span>{move || t_string!(i18n, encode_input)}</span><span>"VAE"</span><span>{move || t_string!(i18n, edit_edited)}</span></div>
            </div>
            <div class="plots">
                {move || if avatars() {
                    view! { <RowSliders lab name=setting::ATTRIBUTES label=Callback::new(move |(index,)| attribute(i18n, index)) /> }.into_any()
                } else {
                    view! { <RowSliders lab name=setting::SLIDERS reach=3.0 label=Callback::new(move |(index,)| t_string!(i18n, direction_n, n = index + 1).to_string()) /> }.into_any()
                }}
            </div>
        </section>
    }
}

/// From the picture to another one, in both latent spaces.
#[component]
fn Between(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(Lab::Encode);
    let drawn = picture_signal();
    let other = RwSignal::new(7u32);
    Effect::new(move |_| {
        taken.track();
        let mut second = settings.get_untracked();
        let item = (second.number(setting::ITEM) + other.get() as f32) % 500.0;
        second.set(setting::ITEM, Value::Number(item));
        if taken.get() == 0 {
            return;
        }
        let between = settings.get_untracked();
        let ask = Ask::Encode {
            settings: second,
            slot: 1,
        };
        latest.ask(ask, move |_, _| {
            latest.ask(Ask::Between(between.clone()), move |told, bytes| {
                if let Told::Sheet(sheet) = told {
                    let _ = drawn.try_set(Some((sheet, bytes)));
                }
            });
        });
    });
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, encode_between)}</h2>
            <p class="help">{move || t_string!(i18n, encode_between_help)}</p>
            <SheetView drawn label=Signal::derive(move || t_string!(i18n, encode_between).to_string()) />
            <p class="help">{move || t_string!(i18n, encode_between_rows)}</p>
            <button type="button" class="button quiet" id="other-end" on:click=move |_| other.update(|o| *o = (*o * 5 + 11) % 499)>
                {move || t_string!(i18n, encode_other)}
            </button>
        </section>
    }
}

/// Colours of ten classes.
const CLASS_COLORS: [&str; 10] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7f7f7f",
    "#8c564b", "#000000",
];

/// What a class of a set is called.
pub fn class_label(i18n: I18n, data: DataSet, class: usize) -> String {
    if data == DataSet::Digits {
        return class.to_string();
    }
    match class {
        0 => t_string!(i18n, fashion_0),
        1 => t_string!(i18n, fashion_1),
        2 => t_string!(i18n, fashion_2),
        3 => t_string!(i18n, fashion_3),
        4 => t_string!(i18n, fashion_4),
        5 => t_string!(i18n, fashion_5),
        6 => t_string!(i18n, fashion_6),
        7 => t_string!(i18n, fashion_7),
        8 => t_string!(i18n, fashion_8),
        _ => t_string!(i18n, fashion_9),
    }
    .to_string()
}

/// Where the codes of the test set lie, by principal components and by t-SNE.
#[component]
fn MapView(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(Lab::Encode);
    let map = RwSignal::new(Map::default());
    let running = RwSignal::new(false);
    let show = move |told: Told, _: Vec<u8>| {
        if let Told::Map {
            points,
            labels,
            own,
            step,
            divergence,
        } = told
        {
            let _ = map.try_set(Map {
                points,
                labels,
                own,
                step,
                divergence,
            });
        }
    };
    Effect::new(move |_| {
        if taken.get() > 0 {
            running.set(false);
            let ask = Ask::Map {
                settings: settings.get_untracked(),
                begin: true,
                steps: 0,
            };
            latest.ask(ask, show);
        }
    });
    // Each answer asks for the next few steps.
    Effect::new(move |_| {
        let step = map.with(|map| map.step);
        if running.get() && step < TSNE_STEPS {
            let ask = Ask::Map {
                settings: settings.get_untracked(),
                begin: false,
                steps: 5,
            };
            latest.ask(ask, show);
        } else if running.get_untracked() {
            running.set(false);
        }
    });
    let dots = move || {
        let map = map.get();
        let data = settings.with_untracked(data_of);
        let dot = |([x, y], label): (&[f32; 2], &u8)| {
            let color = if data == DataSet::Avatars {
                0
            } else {
                usize::from(*label) % 10
            };
            view! { <circle cx=*x cy=-*y r="0.014" fill=CLASS_COLORS[color] /> }
        };
        let dots = map.points.iter().zip(&map.labels).map(dot).collect_view();
        let own = map.own.map(|[x, y]| {
            view! { <circle class="own" cx=x cy=-y r="0.035" /> }
        });
        (dots, own)
    };
    let legend = move || {
        let data = settings.with(data_of);
        (data != DataSet::Avatars).then(|| {
            (0..10)
                .map(|class| {
                    view! { <li><span class="dot" style=format!("background:{}", CLASS_COLORS[class])></span>{class_label(i18n, data, class)}</li> }
                })
                .collect_view()
        })
    };
    let told = move || {
        let map = map.get();
        match map.step {
            0 => t_string!(i18n, map_pca).to_string(),
            step => t_string!(
                i18n,
                map_tsne,
                step = step,
                nats = format!("{:.3}", map.divergence)
            )
            .to_string(),
        }
    };
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, map_title)}</h2>
            <svg class="map" viewBox="-1.08 -1.08 2.16 2.16" role="img" aria-label=move || t_string!(i18n, map_title).to_string()>{dots}</svg>
            <p class="number quiet" id="map-told" data-step=move || map.with(|m| m.step.to_string())>{told}</p>
            <ul class="legend">{legend}</ul>
            <div class="row">
                <button type="button" class="button" id="tsne" on:click=move |_| running.update(|r| *r = !*r)>
                    {move || if running.get() { t_string!(i18n, search_pause) } else { t_string!(i18n, map_run) }}
                </button>
            </div>
            <p class="help">{move || t_string!(i18n, map_help)}</p>
        </section>
    }
}

/// Steps of t-SNE, after which the map hardly moves.
const TSNE_STEPS: u32 = 500;

/// A search for the noise that makes the GAN draw the picture.
#[component]
fn Invert(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(Lab::Encode);
    let drawn = picture_signal();
    let errors = RwSignal::new(Vec::<f32>::new());
    let step = RwSignal::new(0u32);
    let running = RwSignal::new(false);
    let begin = RwSignal::new(true);
    Effect::new(move |_| {
        taken.track();
        running.set(false);
        begin.set(true);
        errors.set(Vec::new());
        step.set(0);
    });
    let go = move |steps: u32| {
        let fresh = begin.get_untracked();
        begin.set(false);
        let ask = Ask::Invert {
            settings: settings.get_untracked(),
            begin: fresh,
            steps,
        };
        latest.ask(ask, move |told, bytes| {
            if let Told::Inverted {
                sheet,
                step: at,
                errors: found,
            } = told
            {
                let _ = drawn.try_set(Some((sheet, bytes)));
                let _ = errors.try_update(|all| all.extend(found));
                let _ = step.try_set(at);
            }
        });
    };
    Effect::new(move |_| {
        let at = step.get();
        if running.get() {
            if at < INVERSION_STEPS {
                go(5)
            } else {
                running.set(false)
            }
        }
    });
    let start = move |_| {
        if !running.get_untracked() && step.get_untracked() >= INVERSION_STEPS {
            begin.set(true);
            errors.set(Vec::new());
            step.set(0);
        }
        running.update(|r| *r = !*r);
    };
    let plot = Signal::derive(move || {
        let points = errors.with(|e| {
            let point = |(i, &v): (usize, &f32)| [i as f64, f64::from(v)];
            e.iter().enumerate().map(point).collect::<Vec<_>>()
        });
        Plot::fitted(vec![Line::new("", COLORS[1], points)], true)
    });
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, invert_title)}</h2>
            <p class="help">{move || t_string!(i18n, invert_help)}</p>
            <div class="pair">
                <SheetView drawn label=Signal::derive(move || t_string!(i18n, invert_title).to_string()) />
                <div class="captions two"><span>{move || t_string!(i18n, encode_input)}</span><span>"G(z)"</span></div>
            </div>
            <PlotView plot label=Signal::derive(move || t_string!(i18n, invert_curve).to_string()) />
            <p class="number quiet" id="invert-step" data-step=move || step.get().to_string()>
                {move || t_string!(i18n, invert_step, step = step.get(), error = errors.with(|e| e.last().map_or(String::from("–"), |&e| number(f64::from(e))))).to_string()}
            </p>
            <div class="row">
                <button type="button" class="button" id="invert" on:click=start>
                    {move || if running.get() { t_string!(i18n, search_pause) } else { t_string!(i18n, search_start) }}
                </button>
                <button type="button" class="button quiet" on:click=move |_| go(1)>{move || t_string!(i18n, search_one)}</button>
            </div>
        </section>
    }
}

/// Steps of an inversion.
const INVERSION_STEPS: u32 = 250;

/// The same number of samples of both, and in what they differ.
#[component]
fn Versus(latest: Latest) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(Lab::Encode);
    let sheets = [picture_signal(), picture_signal()];
    let names = move || {
        let data = settings.with(data_of);
        let vae = format!("vae-{}", data.name());
        let gan = if data == DataSet::Avatars {
            "gan-avatars".to_string()
        } else {
            format!("gan-{}-hinge", data.name())
        };
        [vae, gan]
    };
    let wanted = Memo::new(move |_| (settings.with(|s| s.number(setting::SEED)), names()));
    Effect::new(move |_| {
        let (seed, names) = wanted.get();
        let asks = names.map(|name| {
            let mut sample = Settings::new(Lab::Sample);
            let index = SHIPPED.iter().position(|shipped| shipped.name == name);
            sample.set(setting::MODEL, Value::Choice(index.unwrap_or(0)));
            sample.set_text(setting::VIEW, "many");
            sample.set(setting::SEED, Value::Number(seed));
            sample.set(setting::SPREAD, Value::Number(1.0));
            Ask::Sample(sample)
        });
        let [first, second] = asks;
        latest.ask(first, move |told, bytes| {
            if let Told::Sheet(sheet) = told {
                let _ = sheets[0].try_set(Some((sheet, bytes)));
            }
            let second = second.clone();
            latest.ask(second, move |told, bytes| {
                if let Told::Sheet(sheet) = told {
                    let _ = sheets[1].try_set(Some((sheet, bytes)));
                }
            });
        });
    });
    let rows = move || {
        [
            (t_string!(i18n, versus_pairs), t_string!(i18n, versus_pairs_vae), t_string!(i18n, versus_pairs_gan)),
            (t_string!(i18n, versus_loss), t_string!(i18n, versus_loss_vae), t_string!(i18n, versus_loss_gan)),
            (t_string!(i18n, versus_encoder), t_string!(i18n, versus_encoder_vae), t_string!(i18n, versus_encoder_gan)),
            (t_string!(i18n, versus_edit), t_string!(i18n, versus_edit_vae), t_string!(i18n, versus_edit_gan)),
            (t_string!(i18n, versus_look), t_string!(i18n, versus_look_vae), t_string!(i18n, versus_look_gan)),
        ]
        .map(|(what, vae, gan)| view! { <tr><th scope="row">{what}</th><td>{vae}</td><td>{gan}</td></tr> })
        .collect_view()
    };
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, versus_title)}</h2>
            <div class="versus">
                <figure><figcaption>{move || t_string!(i18n, family_vae)}</figcaption><SheetView drawn=sheets[0] label=Signal::derive(move || t_string!(i18n, versus_vae_sheet).to_string()) /></figure>
                <figure><figcaption>"GAN"</figcaption><SheetView drawn=sheets[1] label=Signal::derive(move || t_string!(i18n, versus_gan_sheet).to_string()) /></figure>
            </div>
            <p class="help">{move || t_string!(i18n, versus_help)}</p>
            <div class="scroll" tabindex="0" role="region" aria-label=move || t_string!(i18n, versus_title).to_string()><table class="words">
                <thead><tr><th></th><th scope="col">"VAE"</th><th scope="col">"GAN"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table></div>
        </section>
        <section class="panel"><Control lab=Lab::Encode name=setting::SEED /></section>
    }
}
