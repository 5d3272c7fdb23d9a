//! Data sets: the file format, and batches of them.

pub mod avatars;
pub mod batches;
pub mod pack;
pub mod photographs;
pub mod views;
