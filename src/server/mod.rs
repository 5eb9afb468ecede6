//! The dashboard: pages, JSON and events about the runs in one folder, and jobs that make runs.

pub mod access;
mod answer;
mod api;
mod app;
mod assets;
mod body;
mod book_page;
mod cache;
mod charts;
mod compare;
mod connections;
mod contracts;
mod data;
mod described;
mod desks;
mod elements;
mod events;
mod files;
mod form;
mod guard;
mod hedge;
mod history;
mod job_page;
mod job_view;
mod jobs;
mod layout;
mod list;
mod list_row;
mod live;
mod login;
mod on_done;
mod openapi;
mod pages;
mod place;
mod problem;
pub mod public;
mod queue;
mod routes;
mod serving;
mod sessions;
mod shaped;
mod summary;
mod sweep;
mod tails;
mod tries;
mod walked;

pub use app::Options;
pub use connections::{Limits, limits};
pub use serving::{DEFAULT_BIND, serve};
pub use summary::summary;

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod api_tests;
#[cfg(test)]
mod connections_tests;
#[cfg(test)]
mod data_tests;
#[cfg(test)]
mod fuzz_requests;
#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod hedge_tests;
#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod tests;
