//! What each layer took, for whoever wants to see it.
//!
//! Layers on the CPU note themselves while somebody listens. On a GPU a layer is done when the GPU likes, and a
//! clock beside it tells nothing.

use std::cell::{Cell, RefCell};

use web_time::Instant;

use crate::protocol::layer::Layer;

thread_local! {
    static HEARD: RefCell<Option<Vec<Layer>>> = const { RefCell::new(None) };
    static PEAK: Cell<(f64, usize)> = const { Cell::new((0.0, 0)) };
}

/// Most layers of a run. What has more takes steps, and is no network's one pass.
const MOST: usize = 200;
/// Milliseconds of a window in which the peak is measured, windows, and rounds between two looks at the clock.
const PEAK_MS: f64 = 3.0;
const PEAK_WINDOWS: usize = 60;
const PEAK_ROUNDS: usize = 4096;

/// Forgets what was heard, and listens.
pub fn listen() {
    HEARD.set(Some(Vec::new()));
}

/// Stops listening; what was heard, unless it was more than a network's layers.
pub fn heard() -> Vec<Layer> {
    let heard = HEARD.take().unwrap_or_default();
    if heard.len() > MOST {
        Vec::new()
    } else {
        heard
    }
}

/// Does work whose layers are no part of the pass that is listened to.
pub(super) fn unheard<T>(work: impl FnOnce() -> T) -> T {
    let heard = HEARD.take();
    let result = work();
    HEARD.set(heard);
    result
}

/// Does a layer's work, and notes what it took where it was done.
pub(super) fn noted<T>(
    layer: impl FnOnce() -> Layer,
    work: impl FnOnce() -> Option<T>,
) -> Option<T> {
    let listens =
        HEARD.with_borrow(|heard| heard.as_ref().is_some_and(|heard| heard.len() <= MOST));
    if !listens {
        return work();
    }
    let began = Instant::now();
    let result = work()?;
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    let layer = Layer { ms, ..layer() };
    HEARD.with_borrow_mut(|heard| {
        if let Some(heard) = heard {
            heard.push(layer);
        }
    });
    Some(result)
}

/// What this processor reaches at best, in thousands of millions of multiplications and additions a second, on the
/// threads that kernels run on.
///
/// It is the best of some windows, so many of which are measured in addition until there are enough: browsers compile a
/// loop anew while other things run, and their clocks are coarse.
pub fn peak(more: usize) -> f64 {
    let (mut best, mut windows) = PEAK.get();
    for _ in 0..more {
        if windows < PEAK_WINDOWS {
            best = f64::max(best, window());
            windows += 1;
        }
    }
    PEAK.set((best, windows));
    best * kiln_kernels::threads() as f64
}

fn window() -> f64 {
    let began = Instant::now();
    let mut operations = 0;
    loop {
        operations += kiln_kernels::busy(PEAK_ROUNDS);
        let ms = began.elapsed().as_secs_f64() * 1000.0;
        if ms >= PEAK_MS {
            return operations as f64 / ms / 1e6;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::layer::LayerKind;

    #[test]
    fn layers_are_heard_in_their_order_while_somebody_listens() {
        let layer = |operations| move || Layer::new(LayerKind::Product, operations, 3);
        assert_eq!(noted(layer(1), || Some(1)), Some(1));
        assert!(heard().is_empty());
        listen();
        assert_eq!(noted(layer(2), || Some("done")), Some("done"));
        // What was not done is no layer.
        assert_eq!(noted(layer(3), || None::<()>), None);
        assert_eq!(noted(layer(4), || Some(())), Some(()));
        let operations: Vec<f64> = heard().iter().map(|layer| layer.gigaflops).collect();
        assert_eq!(operations, [2e-9, 4e-9]);
        assert!(heard().is_empty());
        listen();
        (0..1000).for_each(|_| noted(layer(5), || Some(())).expect("done"));
        assert!(heard().is_empty());
    }

    #[test]
    fn a_processor_reaches_something() {
        let peak = peak(2);
        assert!(peak.is_finite() && peak > 0.1, "{peak}");
        assert!(super::peak(1) >= peak);
    }
}
