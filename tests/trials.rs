//! What two devices are compared by: each lab's trial, at the settings that a visitor finds and at those
//! that are near.

#![cfg(feature = "native")]

use burn::tensor::Device;

use kiln::engine::native_host::NativeHost;
use kiln::engine::runner::Engine;
use kiln::labs;
use kiln::protocol::card::FILES;
use kiln::protocol::settings::Settings;

/// Runs, gives numbers that are finite (a lab fails otherwise), and leaves nothing to go on with.
#[test]
fn every_lab_with_an_engine_can_be_tried() {
    let host = NativeHost::new("weights", |_, _| {});
    let mut engine = Engine::new(Device::flex(), "cpu", FILES, &labs::engines());
    let (mut tried, mut on_the_cpu) = (Vec::new(), Vec::new());
    for row in labs::engines() {
        let lab = (row.make)();
        let near = lab.near();
        for settings in [Settings::new(row.spec)].into_iter().chain(near) {
            let Some(workload) = lab.workload(&settings) else {
                on_the_cpu.push(row.spec.name);
                continue;
            };
            // What is timed is of the workload that it is timed for.
            let again = lab.workload(&workload.timed).expect(row.spec.name);
            assert_eq!(again.name, workload.name);
            let ran = pollster::block_on(engine.trial(&host, &workload.timed));
            let ms = ran.unwrap_or_else(|failure| panic!("{}: {failure}", workload.name));
            assert!(ms > 0.0);
            assert!(!engine.holds(row.spec.name), "{}", workload.name);
            eprintln!("{}: {}: {ms:.0} ms", row.spec.name, workload.name);
            tried.push((row.spec.name, workload.name));
        }
        engine.forget(row.spec.name);
    }
    // It runs no network.
    assert_eq!(on_the_cpu, ["propose"]);
    let count = tried.len();
    tried.sort_unstable();
    tried.dedup();
    assert_eq!(tried.len(), count, "a workload twice");
}
