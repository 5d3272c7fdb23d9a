//! The front page: what this is, one click to a first result, and the map of the course.

use leptos::prelude::*;

use super::job_panel::Notices;
use super::state::use_state;
use super::text::{t_string, use_i18n};
use super::words::lab_word;
use crate::protocol::lab::{self, LabSpec, Wing};

/// The front page.
#[component]
pub fn Home() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let doors = state
        .labs()
        .into_iter()
        .filter_map(|row| row.room.door)
        .map(|door| door())
        .collect_view();
    view! {
        <div class="home">
            <Notices />
            <header class="hero">
                <h1>{move || t_string!(i18n, page.home_headline)}</h1>
                <p class="lead">{move || t_string!(i18n, page.home_lead)}</p>
            </header>
            <div class="doors">{doors}</div>
            <CourseMap />
            <ul class="promises">
                <li><h2>{move || t_string!(i18n, page.home_private_title)}</h2><p>{move || t_string!(i18n, page.home_private_text)}</p></li>
                <li><h2>{move || t_string!(i18n, page.home_link_title)}</h2><p>{move || t_string!(i18n, page.home_link_text)}</p></li>
                <li><h2>{move || t_string!(i18n, page.home_offline_title)}</h2><p>{move || t_string!(i18n, page.home_offline_text)}</p></li>
            </ul>
        </div>
    }
}

/// A lab's door: a picture, and what happens behind it.
#[component]
pub fn Door(
    /// The lab; its words `door.title`, `door.text` and `door.action` stand on the door.
    lab: &'static LabSpec,
    /// The picture.
    children: Children,
) -> impl IntoView {
    let i18n = use_i18n();
    let address = lab.fragment(lab.example);
    let word = move |key: &'static str| move || lab_word(i18n, lab.name, key);
    view! {
        <a class="door" href=address id=format!("door-{}", lab.name)>
            <div class="picture">{children()}</div>
            <div class="words">
                <h2>{word("door.title")}</h2>
                <p>{word("door.text")}</p>
                <span class="button">{word("door.action")}</span>
            </div>
        </a>
    }
}

/// The topics of the lectures, in their order: what stands here is a link, the rest is to come.
#[component]
fn CourseMap() -> impl IntoView {
    let i18n = use_i18n();
    let parts = Wing::ALL
        .iter()
        .map(|&wing| view! { <CoursePart wing /> })
        .collect_view();
    view! {
        <section class="course" aria-labelledby="course-title">
            <h2 id="course-title">{move || t_string!(i18n, page.course_title)}</h2>
            <p class="help">{move || t_string!(i18n, page.course_lead)}</p>
            <div class="parts">{parts}</div>
        </section>
    }
}

#[component]
fn CoursePart(wing: Wing) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let labs = state.labs();
    let topics = wing
        .topics()
        .iter()
        .map(|topic| {
            let name = move || lab_word(i18n, "page", &format!("topics.{topic}"));
            let lab = labs.iter().find(|row| row.spec.topics.contains(topic));
            match lab {
                Some(row) => {
                    let address = format!("#/{}", row.spec.name);
                    view! { <li><a href=address>{name}</a></li> }.into_any()
                }
                None => view! {
                    <li class="to-come"><span>{name}</span> " " <small>{move || t_string!(i18n, page.course_to_come)}</small></li>
                }
                .into_any(),
            }
        })
        .collect_view();
    let lessons = wing.lessons().iter();
    let lessons = lessons
        .map(|&lesson| view! { <Lesson lesson /> })
        .collect_view();
    view! {
        <section>
            <h3>{move || lab_word(i18n, "page", &format!("wings.{}", wing.name()))}</h3>
            {lessons}
            <ul>{topics}</ul>
        </section>
    }
}

/// A lesson, folded: links in their order, and a question to answer at each.
#[component]
fn Lesson(lesson: &'static str) -> impl IntoView {
    let labs: Vec<_> = use_state().labs().iter().map(|row| row.spec).collect();
    let i18n = use_i18n();
    let tasks = lab::lesson(&labs, lesson)
        .map(|(lab, task)| {
            let word = move |what: &'static str| {
                let path = format!("tasks.{}.{what}", task.name);
                move || lab_word(i18n, lab.name, &path)
            };
            view! { <li><a href=lab.fragment(task.link)>{word("title")}</a><p>{word("question")}</p></li> }
        })
        .collect_view();
    view! {
        <details class="lesson" id=format!("lesson-{lesson}")>
            <summary>
                <span class="quiet">{move || t_string!(i18n, page.course_lesson)}</span> " "
                {move || lab_word(i18n, "page", &format!("lessons.{lesson}"))}
            </summary>
            <ol>{tasks}</ol>
        </details>
    }
}
