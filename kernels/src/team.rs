//! Threads that do a part of each kernel.
//!
//! A network is a hundred kernels, some of them a tenth of a millisecond long: as long as it takes to wake a thread
//! that sleeps. So whoever has helped looks out for more for a moment before it goes to sleep. (A pool of threads for
//! tasks of all kinds puts them to sleep at once, and the thread that asks with them.)

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long a helper looks out for more work before it sleeps: longer than what lies between two kernels of a network.
const AWAKE: Duration = Duration::from_micros(300);
/// Parts of the work for each thread, so that one that was held up does not hold up all.
const PARTS: usize = 4;

/// The helpers, and what they are asked to do.
struct Team {
    helpers: usize,
    /// How many jobs there were: tells those that are awake that there is another.
    jobs: AtomicUsize,
    state: Mutex<State>,
    wake: Condvar,
    /// Whether a thread is being helped. Another one that asks meanwhile does its work by itself.
    taken: AtomicBool,
}

#[derive(Default)]
struct State {
    job: Option<Arc<Job>>,
    asleep: usize,
}

/// Parts `0..count` of some work.
struct Job {
    /// Not dangling while `working` is above zero or the job is on offer: [`Offer`] waits for that.
    work: *const (dyn Fn(Range<usize>) + Sync),
    next: AtomicUsize,
    count: usize,
    each: usize,
    /// Helpers that have taken it up and not put it down yet.
    working: AtomicUsize,
    /// Helpers that may.
    most: usize,
    /// What went wrong in a helper.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: what is behind the pointer may be shared, and is there for as long as anyone works on it.
unsafe impl Send for Job {}
// SAFETY: as above.
unsafe impl Sync for Job {}

impl Job {
    /// Does parts until none is left.
    fn run(&self) {
        loop {
            let start = self.next.fetch_add(self.each, Ordering::Relaxed);
            if start >= self.count {
                return;
            }
            // SAFETY: there while anyone works on it.
            unsafe { (*self.work)(start..self.count.min(start + self.each)) };
        }
    }
}

/// Threads there are to do work, the one that asks among them.
pub(crate) fn size() -> usize {
    team().helpers + 1
}

fn team() -> &'static Team {
    static TEAM: OnceLock<Team> = OnceLock::new();
    let mut is_new = false;
    let team = TEAM.get_or_init(|| {
        is_new = true;
        Team {
            helpers: std::thread::available_parallelism().map_or(0, |threads| threads.get() - 1),
            jobs: AtomicUsize::new(0),
            state: Mutex::default(),
            wake: Condvar::new(),
            taken: AtomicBool::new(false),
        }
    });
    if is_new {
        for index in 0..team.helpers {
            // Where a thread is refused, the others do its part.
            let _ = std::thread::Builder::new()
                .name(format!("kernels {index}"))
                .spawn(|| team.help());
        }
    }
    team
}

impl Team {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a helper does all its life.
    fn help(&self) {
        let mut seen = 0;
        loop {
            seen = self.next_job(seen);
            let job = {
                let state = self.state();
                let Some(job) = state.job.clone() else {
                    continue;
                };
                if job.working.load(Ordering::Relaxed) >= job.most {
                    continue;
                }
                // Counted while the job is on offer, so that it is waited for.
                job.working.fetch_add(1, Ordering::Relaxed);
                job
            };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| job.run())) {
                *job.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            }
            job.working.fetch_sub(1, Ordering::Release);
        }
    }

    /// Waits until there was another job than the one seen last: awake for a moment, then asleep.
    fn next_job(&self, seen: usize) -> usize {
        let since = Instant::now();
        loop {
            for _ in 0..64 {
                let jobs = self.jobs.load(Ordering::Acquire);
                if jobs != seen {
                    return jobs;
                }
                std::hint::spin_loop();
            }
            if since.elapsed() > AWAKE {
                break;
            }
        }
        let mut state = self.state();
        state.asleep += 1;
        while self.jobs.load(Ordering::Acquire) == seen {
            state = self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.asleep -= 1;
        self.jobs.load(Ordering::Acquire)
    }
}

/// A job that helpers may take up. Its end takes it back and waits for those that have.
struct Offer<'a> {
    team: &'a Team,
    job: Arc<Job>,
}

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        self.team.state().job = None;
        while self.job.working.load(Ordering::Acquire) > 0 {
            std::hint::spin_loop();
        }
        self.team.taken.store(false, Ordering::Release);
    }
}

/// Does the parts `0..count` on up to so many threads.
pub(crate) fn share(count: usize, threads: usize, work: &(dyn Fn(Range<usize>) + Sync)) {
    let team = team();
    if threads < 2 || count < 2 || team.taken.swap(true, Ordering::Acquire) {
        return work(0..count);
    }
    // SAFETY: the offer ends before the work does, and waits for those who are at it.
    let work: *const (dyn Fn(Range<usize>) + Sync + 'static) =
        unsafe { std::mem::transmute(std::ptr::from_ref(work)) };
    let job = Arc::new(Job {
        work,
        next: AtomicUsize::new(0),
        count,
        each: count.div_ceil(threads * PARTS),
        working: AtomicUsize::new(0),
        most: threads - 1,
        panic: Mutex::new(None),
    });
    let offer = Offer {
        team,
        job: job.clone(),
    };
    {
        let mut state = team.state();
        state.job = Some(job.clone());
        team.jobs.fetch_add(1, Ordering::Release);
        if state.asleep > 0 {
            team.wake.notify_all();
        }
    }
    job.run();
    drop(offer);
    let panic = job
        .panic
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_done_once_however_many_ask() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for count in [0, 1, 2, 3, 7, 64, 1_000] {
                        for _ in 0..50 {
                            let done: Vec<AtomicUsize> =
                                (0..count).map(|_| AtomicUsize::new(0)).collect();
                            share(count, 8, &|part| {
                                for index in part {
                                    done[index].fetch_add(1, Ordering::Relaxed);
                                }
                            });
                            assert!(done.iter().all(|done| done.load(Ordering::Relaxed) == 1));
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn what_goes_wrong_in_a_part_goes_wrong_for_who_asked() {
        let asked = catch_unwind(|| {
            share(64, 8, &|part| assert!(!part.contains(&40), "part forty"));
        });
        assert!(asked.is_err());
        // And the team is there for the next one.
        let sum = AtomicUsize::new(0);
        share(64, 8, &|part| {
            sum.fetch_add(part.sum::<usize>(), Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 63 * 64 / 2);
    }
}
