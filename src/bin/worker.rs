//! The engine in a web worker. The page starts it from a module that calls `default` of the
//! generated script.

fn main() {
    kiln::run_constructors();
    kiln::engine::web_worker::start(kiln::labs::SPECS, kiln::labs::engines);
}
