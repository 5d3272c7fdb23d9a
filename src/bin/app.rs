//! The page.

fn main() {
    kiln::run_constructors();
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(kiln::page::App);
}
