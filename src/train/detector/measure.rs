//! What a detector in training finds in photographs, and how well.

use burn::tensor::Device;

use super::{Recipe, Scene, Views};
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::average_precision::{Claim, Judged, Rule, Truth, average_precision, judge};
use crate::maths::boxes::Corners;
use crate::methods::nms::{Among, suppress};
use crate::methods::outputs::Found;
use crate::protocol::failure::Failure;

/// Scores below this are not looked at.
pub const LEAST: f32 = 0.05;
/// Boxes that go into suppression at most, and that come out.
const MOST: [usize; 2] = [400, 100];
/// Held-out photographs of a forward pass.
const TOGETHER: usize = 16;

/// What is left of the boxes of a picture of that size: clipped to it, the best, and those that no better one of their class
/// suppresses.
pub fn chosen(mut found: Vec<Found>, [width, height]: [f32; 2], overlap: f32) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MOST[0]);
    for found in &mut found {
        found.box_in_square = found.box_in_square.clip(width, height);
    }
    let corners: Vec<Corners> = found.iter().map(|found| found.box_in_square).collect();
    let scores: Vec<f32> = found.iter().map(|found| found.score).collect();
    let classes: Vec<usize> = found.iter().map(|found| found.class).collect();
    let kept = suppress(&corners, &scores, Among::EachClass(&classes), overlap);
    kept.kept()
        .take(MOST[1])
        .map(|index| found[index])
        .collect()
}

/// What is found of a class in the pictures that box it, and what becomes of it at one overlap.
pub fn judged(
    scenes: &[Scene<'_>],
    found: &[Vec<Found>],
    class: usize,
    overlap: f32,
) -> (Vec<Claim>, Judged) {
    let of = (0..scenes.len()).filter(|&index| scenes[index].boxed[class]);
    let truths: Vec<Truth> = of
        .clone()
        .flat_map(|picture| {
            let objects = scenes[picture]
                .objects
                .iter()
                .filter(move |object| object.class == class);
            objects.map(move |object| Truth {
                picture,
                box_in_image: object.box_in_image,
                ignored: object.ignored,
            })
        })
        .collect();
    let claims: Vec<Claim> = of
        .flat_map(|picture| {
            let of_class = found[picture]
                .iter()
                .filter(move |found| found.class == class);
            of_class.map(move |found| Claim {
                picture,
                box_in_image: found.box_in_square,
                score: found.score,
            })
        })
        .collect();
    let judged = judge(&truths, &claims, overlap);
    (claims, judged)
}

/// Average precision of each class over the pictures that box it, at one overlap; none where none does.
pub fn average_precisions(
    scenes: &[Scene<'_>],
    found: &[Vec<Found>],
    overlap: f32,
) -> [Option<f32>; CLASSES.len()] {
    std::array::from_fn(|class| {
        let (claims, judged) = judged(scenes, found, class, overlap);
        average_precision(&judged.curve(&claims), judged.positives, Rule::Area)
    })
}

/// The mean of what there is.
pub fn mean(values: &[Option<f32>]) -> f32 {
    let known: Vec<f32> = values.iter().copied().flatten().collect();
    known.iter().sum::<f32>() / known.len().max(1) as f32
}

/// What a network finds in all views.
///
/// # Errors
/// Those of the views and of the recipe.
pub async fn detect<R: Recipe<MAPS>, const MAPS: usize>(
    job: &Job<'_>,
    recipe: &R,
    network: &R::Network,
    views: &dyn Views<MAPS>,
    device: &Device,
) -> Result<Vec<Vec<Found>>, Failure> {
    let indices: Vec<u32> = (0..views.count() as u32).collect();
    let mut found = Vec::with_capacity(indices.len());
    for together in indices.chunks(TOGETHER) {
        let maps = views.maps(together, device)?;
        let proposals: Vec<&[Corners]> = together
            .iter()
            .map(|&index| views.proposals(index as usize))
            .collect();
        let of_pictures = recipe.look(job, network, &maps, &proposals).await?;
        for (places, &index) in of_pictures.iter().zip(together) {
            let size = views.size(index as usize);
            found.push(recipe.choose(places.found(LEAST).collect(), size));
        }
        job.breathe().await?;
    }
    Ok(found)
}
